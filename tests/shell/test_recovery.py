"""A service that starts on what a crash left goes on as if there had been none.

The file is copied while the service runs, as a crash would leave it.
"""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest

from stream import service
from stream.config import Config, Hub, Journal, Model, Record, Signal
from stream.events import Message
from stream.publish import Publisher
from stream.service import Service
from stream.signal.window import Window
from tests.conftest import write_toy_artifact
from tests.faulty import POISON, poisoned
from tests.sensor_logger import entries, face_up, messages, walk

SAMPLES = np.random.default_rng(3).normal(3, 3, (4000, 3)).astype(np.float32)
UNEQUAL = {"time", "latency_ms", "probabilities", "confidence"}


def frame(seq: int, **more: Any) -> str:
    xyz = SAMPLES[40 * seq : 40 * seq + 40].tolist()
    return json.dumps({"seq": seq, "xyz": xyz, **more})


class World:
    """A service, again and again on what the one before left."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        self.folder = folder
        self.lives = 0

    @asynccontextmanager
    async def run(self) -> AsyncIterator[httpx.AsyncClient]:
        """Run on a copy of the file as it is now."""
        before, path = self._path, self._path.with_name(f"{self.lives}.db")
        for end in ("", "-wal"):
            if before.with_name(before.name + end).exists():
                shutil.copy(before.with_name(before.name + end), f"{path}{end}")
        self._now = path
        self.lives += 1
        journal = Journal(path=str(path), commit_ms=1)
        config = msgspec.structs.replace(self.config, journal=journal)
        async with (
            service.running(config) as self.running,
            httpx.AsyncClient(base_url=self.running.http_url, timeout=60) as client,
        ):
            yield client

    _now: Path | None = None
    running: Service

    @property
    def _path(self) -> Path:
        return self._now or self.folder / "none.db"


async def post(client: httpx.AsyncClient, body: str, query: str = "device=a&session=s") -> int:
    return (await client.post(f"/v1/frames?{query}", content=body)).status_code


async def history(world: World, client: httpx.AsyncClient) -> list[dict[str, Any]]:
    await world.running.hub.models.drained()
    await world.running.hub.journal.flush()
    found = (await client.get("/v1/events?limit=1000")).json()["events"]
    return [{k: v for k, v in event.items() if k not in UNEQUAL} for event in found]


async def test_frames_and_refusals(config: Config, tmp_path: Path) -> None:
    bodies = [frame(seq) for seq in range(40)]
    bodies[7] = frame(7, t=[n / 20 for n in range(40)])  # a frame with time in an untimed session
    bodies[9] = '{"seq": 9, "xyz": "nonsense"}'
    (tmp_path / "whole").mkdir()
    whole, cut = World(config, tmp_path / "whole"), World(config, tmp_path)
    async with whole.run() as client:
        for body in bodies:
            await post(client, body)
        expected = await history(whole, client)
    assert len(expected) > 30
    async with cut.run() as first:
        for body in bodies[:8]:
            await post(first, body)
        async with cut.run() as second:
            for body in bodies[6:25]:  # some come again
                await post(second, body)
            async with cut.run() as third:
                for body in bodies[25:]:
                    await post(third, body)
                assert await history(cut, third) == expected
                answer = await third.post("/v1/frames?device=a&session=s", content=frame(3))
                assert answer.json()["seq"] == 39


async def test_what_was_told_is_not_told_again(config: Config, tmp_path: Path) -> None:
    """Listeners would take it for news; who missed it asks the history."""
    world, heard = World(config, tmp_path), list[str]()
    async with world.run() as first:
        for seq in range(40):
            await post(first, frame(seq))
        told = [event["id"] for event in await history(world, first)]
        assert any(id_.endswith("started") for id_ in told)
        publish = Publisher.publish

        def listening(self: Publisher, device: str, message: Message, *more: Any) -> None:
            heard.extend(filter(None, [getattr(message, "id", "")]))
            publish(self, device, message, *more)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Publisher, "publish", listening)
            async with world.run() as second:
                for seq in range(40, 45):
                    await post(second, frame(seq))
                after = [event["id"] for event in await history(world, second)]
    assert after[: len(told)] == told
    assert heard[: len(after) - len(told)] == after[len(told) :]


async def test_an_app_and_what_a_check_found(config: Config, tmp_path: Path) -> None:
    # Nothing tells the signs of this one, and it lies face up with the wrong ones.
    lying = messages(entries(-face_up(6), "standardised"), session="s")
    walking = messages(entries(-walk(20), "standardised", t=6), session="s", first=len(lying))
    (tmp_path / "whole").mkdir()
    whole, cut = World(config, tmp_path / "whole"), World(config, tmp_path)
    async with whole.run() as client:
        for body in lying:
            await client.post("/v1/sensor-logger", content=body)
        await client.post("/v1/devices/b1/face-up")
        for body in walking:
            await client.post("/v1/sensor-logger", content=body)
        expected = await history(whole, client)
    assert len(expected) >= 4
    half = len(walking) // 2
    async with cut.run() as first:
        for body in lying:
            await first.post("/v1/sensor-logger", content=body)
        found = (await first.post("/v1/devices/b1/face-up")).json()
        assert (found["axes"], found["before"]) == ("ios", "android")
        async with cut.run() as second:
            for body in walking[:half]:
                await second.post("/v1/sensor-logger", content=body)
            async with cut.run() as third:
                for body in walking[half:]:
                    await third.post("/v1/sensor-logger", content=body)
                assert await history(cut, third) == expected


async def test_devices_are_known_again(config: Config, tmp_path: Path) -> None:
    world = World(config, tmp_path)
    async with world.run() as first:
        for seq in range(30):
            await post(first, frame(seq))
        await history(world, first)
        before = (await first.get("/v1/devices/a")).json()
        async with world.run() as second:
            world.running.hub.sweep()
            after = (await second.get("/v1/devices/a")).json()
    assert after == before | {"status": "offline", "confidence": after["confidence"]}


async def test_a_session_on_another_grid_is_over(config: Config, tmp_path: Path) -> None:
    world = World(config, tmp_path)
    async with world.run() as first:
        for seq in range(2):
            await post(first, frame(seq))
        world.config = msgspec.structs.replace(config, signal=Signal(max_gap_s=2))
        async with world.run() as second:
            await post(second, frame(2))
            metrics = (await second.get("/metrics")).text
    assert "gaitway_frames_skipped_total 2.0" in metrics  # what another session had is not known


async def test_the_activity_of_a_session_that_cannot_go_on_is_over(
    config: Config, tmp_path: Path
) -> None:
    world = World(config, tmp_path)
    async with world.run() as first:
        for seq in range(30):
            await post(first, frame(seq))
        before = await history(world, first)
        begun = [event for event in before if event["type"] == "activity"][-1]
        assert begun["event"] == "started"
        newest = [event for event in before if event["type"] == "prediction"][-1]
        world.config = msgspec.structs.replace(config, signal=Signal(max_gap_s=2))
        async with world.run() as second:
            ended = (await history(world, second))[-1]
            device = (await second.get("/v1/devices/a")).json()
            async with world.run() as third:
                assert (await history(world, third))[-1] == ended  # once
    assert ended["id"] == f"a/{begun['session']}/close/ended"
    assert ended["activity"] == begun["activity"]
    assert (ended["started_t"], ended["t"]) == (begun["t"], newest["t"][1])
    assert device["activity"] == "Unknown"


async def test_it_ends_no_later_than_it_began(config: Config, tmp_path: Path) -> None:
    """A device's clock may run back; the newest window then lies before the activity's begin."""
    world = World(config, tmp_path)
    async with world.run() as first:
        for seq in range(36):
            begin = 5000.0 if seq < 30 else 100.0
            t = [begin + 2 * seq + n / 20 for n in range(40)]
            await post(first, frame(seq, t=t))
        await history(world, first)
        world.config = msgspec.structs.replace(config, signal=Signal(max_gap_s=2))
        async with world.run() as second:
            ended = (await history(world, second))[-1]
    assert ended["event"] == "ended"
    assert ended["started_t"] <= ended["t"]
    assert ended["duration_s"] >= 0


@pytest.mark.parametrize("table", ["events", "predictions"])
async def test_history_that_is_damaged_keeps_nobody_from_starting(
    config: Config, tmp_path: Path, table: str
) -> None:
    world = World(config, tmp_path)
    async with world.run() as first:
        for seq in range(30):
            await post(first, frame(seq))
        await history(world, first)
        with closing(sqlite3.connect(world._path)) as damaging:
            damaging.execute(f"UPDATE {table} SET text = '{{'")  # noqa: S608
            damaging.commit()
        world.config = msgspec.structs.replace(config, signal=Signal(max_gap_s=2))
        async with world.run() as second:
            assert (await second.get("/readyz")).status_code == 200


async def two_walk(client: httpx.AsyncClient) -> None:
    for device in "ab":
        for seq in range(30):
            await post(client, frame(seq), f"device={device}&session=s")


async def test_fewer_devices_than_before(config: Config, tmp_path: Path) -> None:
    world = World(config, tmp_path)
    async with world.run() as first:
        await two_walk(first)
        await history(world, first)
        world.config = msgspec.structs.replace(config, hub=Hub(max_devices=1))
        async with world.run() as second:
            ended = [event["id"] for event in (await history(world, second))[-2:]]
    assert "a/s/close/ended" in ended or "b/s/close/ended" in ended


async def test_fewer_sessions_than_before(config: Config, tmp_path: Path) -> None:
    """The one that was quiet for longest is over, once; nothing else of it comes again."""
    world = World(config, tmp_path)
    async with world.run() as first:
        await two_walk(first)
        before = await history(world, first)
        world.config = msgspec.structs.replace(config, hub=Hub(max_sessions=1))
        async with world.run() as second:
            after = await history(world, second)
            (live,) = world.running.hub.lives()
            async with world.run() as third:
                assert await history(world, third) == after
    over = {"a": "b", "b": "a"}[live.session.device]
    assert [event["id"] for event in after[len(before) :]] == [f"{over}/s/close/ended"]


async def test_an_orderly_stop_leaves_nothing_to_do_again(config: Config, tmp_path: Path) -> None:
    world = World(config, tmp_path)
    async with world.run() as client:
        for seq in range(20):
            await post(client, frame(seq))
    async with world.run() as client:
        assert world.running.hub.models.waiting == 0
        metrics = (await client.get("/metrics")).text
        assert "gaitway_windows_total 0.0" in metrics
        kept = await history(world, client)
        assert [e["window"] for e in kept if e["type"] == "prediction"] == list(range(16))
        for seq in range(20, 25):
            await post(client, frame(seq))
        kept = await history(world, client)
        assert [e["window"] for e in kept if e["type"] == "prediction"] == list(range(21))


def label(seq: int, t: float, word: str | None) -> str:
    return json.dumps({"type": "label", "seq": seq, "t": t, "label": word})


async def test_labels_are_written_once(config: Config, tmp_path: Path) -> None:
    bodies = [frame(seq) for seq in range(12)]
    bodies[2], bodies[9] = label(2, 3.0, "Walking"), label(9, 15.0, None)
    written = []
    for name, cuts in (("whole", [12]), ("cut", [4, 8, 12])):
        (tmp_path / name).mkdir()
        recordings = tmp_path / name / "recordings"
        settings = msgspec.structs.replace(config, record=Record(folder=str(recordings)))
        world, begin = World(settings, tmp_path / name), 0
        async with AsyncExitStack() as lives:
            for end in cuts:
                client = await lives.enter_async_context(world.run())
                for body in bodies[begin:end]:
                    await post(client, body)
                begin = end
            written.append([file.read_text() for file in sorted(recordings.iterdir())])
    assert len(written[0]) == 1
    assert written[0] == written[1]


async def test_an_input_that_we_fail_on_keeps_nobody_from_starting(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned(monkeypatch)
    world = World(config, tmp_path)
    poison = json.dumps({"seq": 3, "xyz": [[float(POISON), 2, 9]] * 40})
    async with world.run() as first:
        for seq in range(3):
            await post(first, frame(seq))
        assert await post(first, poison) == 500
        await world.running.hub.journal.flush()
        async with world.run() as second:
            answer = await second.post("/v1/frames?device=a&session=s", content=frame(4))
            assert answer.json()["seq"] == 4


async def test_another_model_does_not_contradict_what_was_said(
    config: Config, tmp_path: Path
) -> None:
    for seed in range(20, 30, 2):
        models = [write_toy_artifact(tmp_path / f"m{n}", seed=n) for n in (seed, seed + 1)]
        (tmp_path / f"{seed}").mkdir()
        world = World(with_model(config, models[0]), tmp_path / f"{seed}")
        async with world.run() as first:
            for seq in range(20):
                await post(first, frame(seq))
            said = await history(world, first)
            world.config = with_model(config, models[1])
            async with world.run() as second:
                for seq in range(20, 40):
                    await post(second, frame(seq))
                found = await history(world, second)
                assert found[: len(said)] == said
                assert contradictions(found) == []


def with_model(config: Config, artifact: Path) -> Config:
    return msgspec.structs.replace(config, model=Model(artifact=str(artifact)))


def contradictions(messages: list[dict[str, Any]]) -> list[str]:
    """Return the ids of events that end what was not on, or begin it twice."""
    found, current = [], "Unknown"
    for event in messages:
        if event["type"] == "activity":
            begins = event["event"] == "started"
            if (event["activity"] == current) is begins:
                found.append(event["id"])
            current = event["activity"] if begins else "Unknown"
    return found


async def test_a_session_that_was_closing_and_its_namesake_stay_two(
    config: Config, tmp_path: Path
) -> None:
    world = World(config, tmp_path)
    async with world.run() as first:
        for seq in range(6):
            await post(first, frame(seq))
        hub = world.running.hub
        closing = hub.current("http", "a")
        assert closing is not None
        await hub.models.drained()
        closing.waiting.append(Window(0, 0, 200, (0.0, 10.0), 0.0, SAMPLES[:200]))  # for ever
        hub.end(closing)
        for seq in range(2):
            await post(first, frame(seq + 50))
        await hub.journal.flush()
        async with world.run() as second:
            for seq in range(2, 7):
                await post(second, frame(seq + 50))
            await history(world, second)
            lives = world.running.hub.lives()
            assert [live.session.next_seq for live in lives] == [57]
            rows = world.running.hub.journal.store.sessions()
            assert [row.opened for row in rows] == [lives[0].opened]
        closing.waiting.clear()
