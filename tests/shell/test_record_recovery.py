"""Labels, and what is held of them, go on after a stop or a crash, and nothing is written twice."""

from collections.abc import Callable
from math import inf
from pathlib import Path

import msgspec
import pytest

from stream.config import Config, Record
from stream.live import Live
from tests.shell.test_recovery import World, frame, label, post


def labelling(config: Config, folder: Path) -> tuple[World, Path]:
    recordings = folder / "recordings"
    settings = msgspec.structs.replace(config, record=Record(folder=str(recordings)))
    return World(settings, folder), recordings


def recorded(folder: Path) -> dict[str, list[float]]:
    """Return the times in each recording."""
    return {
        file.name: [float(line.split(",")[0]) for line in file.read_text().splitlines()[1:]]
        for file in folder.iterdir()
    }


def seconds(begin: float, end: float) -> list[float]:
    return [n / 20 for n in range(round(begin * 20), round(end * 20))]


def live_of(world: World) -> Live:
    live = world.running.hub.current("http", "a")
    assert live is not None
    return live


async def test_a_label_outlives_an_orderly_stop(config: Config, tmp_path: Path) -> None:
    world, recordings = labelling(config, tmp_path)
    async with world.run() as client:
        await post(client, label(0, 0.0, "Walking"))
        for seq in range(1, 9):
            await post(client, frame(seq))
    assert recorded(recordings) == {"a_s_0.csv": seconds(0, 11)}  # 5 s are held
    async with world.run() as client:
        for seq in range(9, 15):
            await post(client, frame(seq))
        await post(client, label(15, 26.0, None))  # in arrears
    assert recorded(recordings) == {"a_s_0.csv": seconds(0, 26)}


async def test_what_a_crash_left_held_is_written_when_the_session_expires(
    config: Config, tmp_path: Path
) -> None:
    world, recordings = labelling(config, tmp_path)
    async with world.run() as client:
        await post(client, label(0, 0.0, "Walking"))
        for seq in range(1, 9):
            await post(client, frame(seq))
        world.running.hub.keeper.save(live_of(world))
        await world.running.hub.journal.flush()
        async with world.run():
            live_of(world).seen = -inf
            world.running.hub.sweep()
            await world.running.hub.models.drained()
            assert recorded(recordings) == {"a_s_0.csv": seconds(0, 16)}


async def test_who_records_nothing_any_more_ends_labels(config: Config, tmp_path: Path) -> None:
    world, recordings = labelling(config, tmp_path)
    async with world.run() as client:
        await post(client, label(0, 0.0, "Walking"))
        for seq in range(1, 9):
            await post(client, frame(seq))
    world.config = config
    async with world.run() as client:
        await post(client, frame(9))
        assert live_of(world).session.labels.idle
        metrics = (await client.get("/metrics")).text
    assert 'gaitway_samples_unrecorded_total{reason="off"} 140.0' in metrics
    assert recorded(recordings) == {"a_s_0.csv": seconds(0, 11)}


async def test_a_stretch_goes_on_in_another_folder(config: Config, tmp_path: Path) -> None:
    world, recordings = labelling(config, tmp_path)
    async with world.run() as client:
        await post(client, label(0, 0.0, "Walking"))
        for seq in range(1, 9):
            await post(client, frame(seq))
    other = tmp_path / "other"
    world.config = msgspec.structs.replace(config, record=Record(folder=str(other)))
    async with world.run() as client:
        await post(client, label(9, 15.9, None))
    assert recorded(recordings) == {"a_s_0.csv": seconds(0, 11)}
    assert recorded(other) == {"a_s_1.csv": seconds(11, 15.9)}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("\n", " # seen\n"),
        lambda _: "",
    ],
    ids=["shorter", "longer", "empty"],
)
async def test_a_file_that_somebody_changed_stays_as_it_is(
    config: Config,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    change: Callable[[str], str],
) -> None:
    world, recordings = labelling(config, tmp_path)
    async with world.run() as client:
        await post(client, label(0, 0.0, "Walking"))
        for seq in range(1, 9):
            await post(client, frame(seq))
    file = recordings / "a_s_0.csv"
    changed = change(file.read_text())
    file.write_text(changed)
    async with world.run() as client:
        await post(client, label(9, 15.9, None))
    assert file.read_text() == changed
    file.unlink()
    assert recorded(recordings) == {"a_s_1.csv": seconds(11, 15.9)}
    assert f"goes on in another file than {file}" in caplog.text
