"""Clients and the real server: breaks on purpose, and the same predictions as without."""

import asyncio
import math
from contextlib import aclosing

import msgspec
import numpy as np
import pytest
from websockets.asyncio.client import connect

from clients import Phone, RefusedError, watch
from clients.frames import Encoding
from clients.load import Load, Progress, load
from clients.messages import decode
from clients.replay import Replay, replay
from clients.score import Score
from clients.server_process import ServerProcess, find_pid
from clients.track import Track
from clients.walker import walk
from stream.config import Config, Mqtt
from stream.events import Ended, Missed, Prediction, Started, Welcome
from stream.service import Service
from stream.service import running as run_service
from stream.wire.binary import encode_binary
from tests.clients.lossy import lossy

Heard = list[Prediction | Started | Ended]
SCRIPT = (("Walking", 40.0), ("Sitting", 30.0), ("Jogging", 40.0))


async def stream(
    url: str, device: str, track: Track, wanted: int, *, timed: bool, encoding: Encoding
) -> Heard:
    """Send a track; return what is heard until so many predictions have come."""
    heard: Heard = []
    phone = Phone(url, device, encoding=encoding, rate_hz=track.rate_hz, patience_s=20)
    async with asyncio.timeout(60), phone:
        heard_one = asyncio.Event()
        sending = asyncio.create_task(send(phone, track, heard_one, timed=timed))
        async with aclosing(phone.messages()) as messages:
            async for message in messages:
                assert not isinstance(message, Missed)
                if isinstance(message, Prediction | Started | Ended):
                    heard.append(message)
                    heard_one.set()
                if sum(isinstance(m, Prediction) for m in heard) == wanted:
                    break
        await sending
    return heard


async def send(phone: Phone, track: Track, heard_one: asyncio.Event, *, timed: bool) -> None:
    for number, frame in enumerate(track.frames(1.0, timed=timed)):
        await phone.send(frame.xyz, frame.t)
        if number == 20:
            await heard_one.wait()
    await phone.drain()


def content(heard: Heard) -> list[tuple[object, ...]]:
    """Return what has to be equal in two runs, bit for bit: all but ids, arrival and latency."""
    return [(type(m), m.id.split("/", 2)[2], m.activity, m.t) for m in heard]


def probabilities(heard: Heard) -> list[list[float]]:
    return [list(m.probabilities.values()) for m in heard if isinstance(m, Prediction)]


@pytest.mark.parametrize(
    ("rate_hz", "timed", "encoding", "wanted"),
    [(20.0, False, "binary", 51), (20.0, False, "json", 51), (50.0, True, "binary", 50)],
)
async def test_a_line_that_breaks_again_and_again_changes_nothing(
    running: Service, rate_hz: float, timed: bool, encoding: Encoding, wanted: int
) -> None:
    track = walk("p", SCRIPT, rate_hz=rate_hz, seed=1)
    whole = await stream(running.ws_url, "whole", track, wanted, timed=timed, encoding=encoding)
    cuts = [30_000, *np.random.default_rng(5).integers(1_500, 9_000, 12).tolist()]
    async with lossy(running.ws_url, cuts) as (url, line):
        broken = await stream(url, "broken", track, wanted, timed=timed, encoding=encoding)
    assert line.connections > 5
    assert content(broken) == content(whole)
    # The last bits depend on which windows shared a batch.
    np.testing.assert_allclose(probabilities(broken), probabilities(whole), atol=1e-6)


async def test_a_break_before_the_first_prediction_was_heard_loses_none(running: Service) -> None:
    url = f"{running.ws_url}/v1/stream?device=p&session=S"
    track = walk("p", [("Walking", 10.0)])
    async with connect(url) as deaf, aclosing(watch(running.ws_url, types=["prediction"])) as heard:
        await anext(heard)  # the state of p, which is listened to from now on
        for seq, frame in enumerate(track.frames(1.0, timed=False)):
            await deaf.send(encode_binary(seq, frame.xyz))
        assert isinstance(await anext(heard), Prediction)
        deaf.transport.abort()
    async with connect(f"{url}&since=") as again:
        assert isinstance(decode(await again.recv()), Welcome)
        async with asyncio.timeout(2):
            assert isinstance(decode(await again.recv()), Prediction)


async def test_a_listener_on_a_line_that_breaks_misses_nothing(running: Service) -> None:
    track = walk("p", SCRIPT, seed=2)
    heard: list[int] = []

    async def listen(url: str) -> None:
        async with aclosing(watch(url, types=["prediction"])) as messages:
            async for message in messages:
                if isinstance(message, Prediction):
                    heard.append(message.window)
                if len(heard) == 51:
                    return

    async with lossy(running.ws_url, [4_000] * 5) as (url, line):
        listening = asyncio.create_task(listen(url))
        await stream(running.ws_url, "p", track, 51, timed=False, encoding="binary")
        await asyncio.wait_for(listening, 30)
    assert line.connections > 3
    assert heard == list(range(51))


async def test_a_second_phone_of_the_same_name_replaces_the_first(running: Service) -> None:
    async with Phone(running.ws_url, "p") as second_to_be, Phone(running.ws_url, "p"):
        with pytest.raises(RefusedError, match="took over"):
            async for _ in second_to_be.messages():
                pass


async def play(tracks: list[Track], options: Replay) -> list[Score]:
    positions: dict[str, float] = {}

    def advance(track: Track, at: float) -> None:
        assert at >= positions.get(track.name, 0.0)
        positions[track.name] = at

    async with asyncio.timeout(60):
        scores = await replay(tracks, options, advance)
    assert all(positions[t.name] == pytest.approx(t.duration_s, abs=0.1) for t in tracks)
    return scores


@pytest.mark.parametrize("timed", [True, False])
async def test_a_replay_counts_what_it_sent_and_heard(running: Service, timed: bool) -> None:
    tracks = [walk(name, SCRIPT, rate_hz=20.0, seed=s) for s, name in enumerate(("a", "b"))]
    scores = await play(tracks, Replay(running.ws_url, speed=math.inf, timed=timed))
    assert [score.name for score in scores] == ["a", "b"]
    for score in scores:
        assert (score.samples, score.frames, score.missed) == (2200, 110, 0)
        assert score.predictions == (50 if timed else 51)
        assert score.labelled == score.predictions
        assert not score.first_error


async def test_a_replay_keeps_its_pace(running: Service) -> None:
    track = walk("a", [("Walking", 20.0)])
    began = asyncio.get_running_loop().time()
    await play([track], Replay(running.ws_url, speed=20.0, timed=False))
    assert asyncio.get_running_loop().time() - began >= 0.95


async def test_a_replay_over_mqtt_is_the_same(config: Config, broker: str) -> None:
    with_broker = msgspec.structs.replace(config, mqtt=Mqtt(url=broker, reconnect_max_s=1))
    track = walk("a", SCRIPT, seed=3)
    async with run_service(with_broker) as running:
        (direct,) = await play([track], Replay(running.ws_url, speed=math.inf))
        (through,) = await play([track], Replay(broker, speed=math.inf, encoding="json"))
        (binary,) = await play([track._replace(name="c")], Replay(broker, speed=math.inf))
    assert through.activities == direct.activities == binary.activities
    assert through.predictions == 50


@pytest.mark.parametrize(("timed", "encoding"), [(False, "binary"), (True, "json")])
async def test_load_finds_every_window_once(
    running: Service, timed: bool, encoding: Encoding
) -> None:
    seen: list[Progress] = []
    options = Load(
        running.ws_url,
        phones=20,
        seconds=15,
        frame_s=0.5,
        rate_hz=20,
        encoding=encoding,
        timed=timed,
        speed=15,
    )
    pid = find_pid(running.ws_url)
    assert pid is not None
    report = await load(options, ServerProcess(pid), seen.append)
    assert report.lossless
    assert report.expected == report.predictions == 20 * 3
    assert report.frames == 20 * 30
    assert report.server is not None
    assert report.server.rss_mb > 10
    assert 0 < report.latency_ms.p50 <= report.latency_ms.p99 <= report.latency_ms.max
    assert seen[-1].connected == 20
