"""Labels by every door, and the files that come of them; disks that fail disturb nobody."""

import asyncio
import json
import re
import resource
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from websockets.asyncio.client import connect

from clients import Phone
from stream import config, service
from stream.config import Config
from stream.errors import ConfigError
from stream.events import Error
from stream.service import Service
from tests.shell.test_websocket import SAMPLES, acked, frame, receive, stream_url

HEADER = "t,x,y,z,label,device,session"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "made" / "recordings"


@pytest.fixture
def recording(config: Config, folder: Path) -> Config:
    return with_folder(config, folder)


def with_folder(settings: Config, folder: Path) -> Config:
    return msgspec.structs.replace(settings, record=config.Record(folder=str(folder)))


@asynccontextmanager
async def recorder(settings: Config) -> AsyncIterator[Service]:
    async with service.running(settings) as running:
        yield running


def label(seq: int | None, name: str | None, t: float | None = None, **more: Any) -> str:
    return json.dumps({"type": "label", "seq": seq, "label": name, "t": t, **more})


def rows(path: Path) -> list[list[str]]:
    """Return the cells of a recording, without its header."""
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    assert header == HEADER
    return [line.split(",") for line in lines]


def make(folder: Path) -> None:
    folder.mkdir()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def lengths(folder: Path) -> list[int]:
    """Return how many samples each recording has."""
    return [len(rows(path)) for path in sorted(folder.iterdir())]


def metric(running: Service, name: str) -> float:
    found = re.search(rf"^gaitway_{re.escape(name)} (\S+)$", rendered(running), re.MULTILINE)
    return float(found[1]) if found else 0.0


def rendered(running: Service) -> str:
    return running.hub.metrics.render().decode()


async def test_labelled_samples_are_written_and_no_others(recording: Config, folder: Path) -> None:
    async with recorder(recording) as running:
        async with connect(stream_url(running, device="pixel-7", session="s1")) as phone:
            assert (await receive(phone, "welcome"))["recording"] is True
            await phone.send(frame(0))
            await phone.send(label(1, "Walking", t=2.5))  # in 10 samples
            await phone.send(frame_at(2, 40))
            await phone.send(frame_at(3, 80))
            await phone.send(label(4, None))
            await phone.send(frame_at(5, 120))
            await acked(phone, 5)
            written = rows(folder / "pixel-7_s1_0.csv")  # at the label's end, not the session's
        assert metric(running, "labels_total") == 2
        assert metric(running, "samples_recorded_total") == 70
    assert names(folder) == ["pixel-7_s1_0.csv"]
    assert [float(t) for t, *_ in written] == [n / 20 for n in range(50, 120)]
    sent = [[f"{value:.3f}" for value in row] for row in SAMPLES[50:120].tolist()]
    assert [row[1:4] for row in written] == sent
    assert {tuple(row[4:]) for row in written} == {("Walking", "pixel-7", "s1")}


def frame_at(seq: int, first: int, count: int = 40) -> str:
    """Return frame number `seq` with SAMPLES from `first` on."""
    xyz = SAMPLES[first : first + count].tolist()
    return json.dumps({"type": "samples", "seq": seq, "xyz": xyz})


async def test_without_a_folder_a_label_is_refused_with_what_to_do(running: Service) -> None:
    async with connect(stream_url(running, device="a")) as phone:
        assert "recording" not in await receive(phone, "welcome")
        await phone.send(label(0, "Walking"))
        error = await receive(phone, "error")
        assert (error["code"], error["seq"]) == ("not-recorded", 0)
        assert "gaitway serve --record DIR" in error["message"]
        await acked(phone, 0)
        await phone.send(frame_at(1, 0))
        await acked(phone, 1)
    assert 'gaitway_frames_refused_total{channel="websocket",code="not-recorded"} 1.0' in rendered(
        running
    )


async def test_by_post_and_by_mqtt(recording: Config, folder: Path, broker: str) -> None:
    recording = msgspec.structs.replace(recording, mqtt=config.Mqtt(url=broker))
    async with recorder(recording) as running:
        async with httpx.AsyncClient(base_url=running.http_url, trust_env=False) as client:
            for seq, body in enumerate([label(0, "Sitting"), frame_at(1, 0), label(2, None)]):
                answer = await client.post("/v1/frames?device=post&session=p", content=body)
                assert (answer.status_code, answer.json()["seq"]) == (200, seq)
            refused = await client.post("/v1/frames?device=post", content=label(0, "no,commas"))
            assert (refused.status_code, refused.json()["code"]) == (422, "bad-frame")
        async with Phone(broker, "mqtt", session="m") as phone:
            await phone.label("Walking")
            await phone.send(SAMPLES[:40])
            await phone.label(None)
            await phone.drain()
    assert names(folder) == ["mqtt_m_0.csv", "post_p_0.csv"]
    assert lengths(folder) == [40, 40]


async def test_a_lost_connection_does_not_end_a_stretch(recording: Config, folder: Path) -> None:
    async with recorder(recording) as running:
        url = stream_url(running, device="a", session="s")
        async with connect(url) as phone:
            await phone.send(label(0, "Walking"))
            await phone.send(frame_at(1, 0))
            await acked(phone, 1)
            phone.transport.abort()
        async with connect(url) as phone:
            assert (await receive(phone, "welcome"))["next_seq"] == 2
            await phone.send(label(0, "Walking"))  # again: dropped
            await phone.send(frame_at(1, 0))  # again: dropped
            await phone.send(frame_at(2, 40))
            await acked(phone, 2)
        assert metric(running, "labels_total") == 1
    assert names(folder) == ["a_s_0.csv"]
    assert [float(t) for t, *_ in rows(folder / "a_s_0.csv")] == [n / 20 for n in range(80)]


async def test_a_session_that_goes_on_after_a_restart_overwrites_nothing(
    recording: Config, folder: Path
) -> None:
    for count in (40, 20):
        async with (
            recorder(recording) as running,
            connect(stream_url(running, device="a", session="s")) as phone,
        ):
            await phone.send(label(0, "Walking"))
            await phone.send(frame_at(1, 0, count))
            await acked(phone, 1)
    assert names(folder) == ["a_s_0.csv", "a_s_1.csv"]
    assert lengths(folder) == [40, 20]


async def test_a_stop_writes_what_is_held(recording: Config, folder: Path) -> None:
    async with recorder(recording) as running:
        phone = await connect(stream_url(running, device="a", session="s"))
        await phone.send(label(0, "Walking"))
        await phone.send(frame_at(1, 0))
        await acked(phone, 1)
    assert len(rows(folder / "a_s_0.csv")) == 40
    await phone.close()


async def test_each_label_has_a_file_of_its_own(recording: Config, folder: Path) -> None:
    async with recorder(recording) as running, Phone(running.ws_url, "a", session="s") as phone:
        for number, name in enumerate(("Walking", "Sitting", None, "washing up")):
            await phone.label(name)
            await phone.send(SAMPLES[40 * number : 40 * number + 40])
    found = {name: {row[4] for row in rows(folder / name)} for name in names(folder)}
    assert found == {
        "a_s_0.csv": {"Walking"},
        "a_s_1.csv": {"Sitting"},
        "a_s_2.csv": {"washing up"},
    }


async def test_a_disk_that_fails_is_said_counted_and_disturbs_nothing_else(
    recording: Config, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        recorder(recording) as running,
        connect(stream_url(running, device="a", session="s")) as phone,
    ):
        await phone.send(label(0, "Walking"))
        for seq in range(1, 4):
            await phone.send(frame_at(seq, 40 * seq - 40))
        await acked(phone, 3)
        assert metric(running, "samples_recorded_total") == 20  # 5 s are held
        shutil.rmtree(folder)
        await phone.send(frame_at(4, 120))
        error = await receive(phone, "error")
        assert error["code"] == "not-recorded"
        assert "No such file" in error["message"]
        assert metric(running, 'samples_unrecorded_total{reason="disk"}') == 140
        for seq in (5, 6):
            await phone.send(frame_at(seq, 40 * seq - 40))
        prediction = await receive(phone, "prediction")
        assert prediction["window"] == 0
        make(folder)
        await phone.send(label(7, "Walking"))
        await phone.send(frame_at(8, 240))
        await acked(phone, 8)
    assert names(folder) == ["a_s_1.csv"]
    assert sum("recordings can't be written to" in line for line in caplog.messages) == 1


async def test_a_full_disk_leaves_no_half_lines(recording: Config, folder: Path) -> None:
    """A limit on the size of files ends a write in its middle, as a full disk does."""
    async with recorder(recording) as running, Phone(running.ws_url, "a", session="s") as phone:
        await phone.label("Walking")
        for second in range(8):
            await phone.send(SAMPLES[20 * second : 20 * second + 20])
        await phone.drain()
        with files_of_at_most((folder / "a_s_0.csv").stat().st_size + 100):
            await phone.send(SAMPLES[160:180])
            error = await first(phone, Error)
        assert (error.code, "File too large" in error.message) == ("not-recorded", True)
    written = rows(folder / "a_s_0.csv")
    assert [len(row) for row in written] == [7] * 60
    assert [float(t) for t, *_ in written] == [n / 20 for n in range(60)]


async def first(phone: Phone, kind: type[Error]) -> Error:
    async with asyncio.timeout(10):
        async for message in phone.messages():
            if isinstance(message, kind):
                return message
    raise AssertionError(kind)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_what_is_out_of_order_is_left_out_and_counted(
    recording: Config, folder: Path
) -> None:
    async with recorder(recording) as running:
        async with Phone(running.ws_url, "a", session="s") as phone:
            await phone.label("Walking")
            await phone.send(SAMPLES[:4], [1.00, 1.05, 1.02, 1.10])
        assert metric(running, 'samples_unrecorded_total{reason="order"}') == 1
    assert [row[0] for row in rows(folder / "a_s_0.csv")] == ["1.000000", "1.050000", "1.100000"]


async def test_readings_are_written_in_ms2_with_androids_signs(
    recording: Config, folder: Path
) -> None:
    async with (
        recorder(recording) as running,
        connect(stream_url(running, device="a", session="s", units="g", axes="ios")) as phone,
    ):
        await phone.send(label(0, "Sitting"))
        await phone.send('{"type": "samples", "seq": 1, "xyz": [[0, 0, -1]]}')
        await acked(phone, 1)
    assert rows(folder / "a_s_0.csv") == [
        ["0.000000", "-0.000", "-0.000", "9.807", "Sitting", "a", "s"]
    ]


async def test_a_folder_that_cant_be_is_refused_at_the_start(
    config: Config, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"record\.folder = '.*file': .* be written there"):
        async with service.running(with_folder(config, tmp_path / "file")):
            pass


async def test_a_forgotten_label_is_told_anew(recording: Config, folder: Path) -> None:
    """Where a server that was started anew knows nothing of the session, the phone labels it."""
    xyz = np.ones((20, 3))
    async with recorder(recording) as running:
        phone = Phone(running.ws_url, "a")
        async with phone:
            await phone.label("Walking")
            await phone.send(xyz)
            await phone.drain()
            live = running.hub.current("websocket", "a")
            assert live is not None
            assert live.outbox is not None
            running.hub.end(live)
            live.outbox.close(1012, "the test forgets the session")
            await phone.send(xyz)
            await phone.drain()
        assert metric(running, "labels_total") == 2
    assert lengths(folder) == [20, 20]
