"""The same recording gives the same windows and predictions, however it travels.

Over WebSocket and MQTT, cut into frames at random, with the model that ships: what comes back is
held against the artifact run offline, without any of the service.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
import stamina
from numpy.typing import NDArray

from clients.frames import Encoding
from clients.phone import Phone
from stream import config, service
from stream.config import Config, Journal, Server, Signal
from stream.events import Prediction
from stream.model.artifact import SHIPPED
from stream.model.classifier import OnnxClassifier
from stream.session import Session, SessionOptions
from stream.wire import Frame
from trainer.recordings import FORMATS

Samples = NDArray[np.float32]
Times = NDArray[np.float64]
TRANSPORTS = ("websocket", "mqtt")


class Spy:
    """The shipped model, remembering the windows that it was asked about."""

    def __init__(self) -> None:
        self.model = OnnxClassifier(SHIPPED, Signal())
        self.windows: list[bytes] = []

    def classify(self, windows: Samples) -> Samples:
        self.windows += [window.tobytes() for window in windows]
        return self.model.classify(windows)


@asynccontextmanager
async def served(transport: str, request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, Spy]]:
    """Run the service with the spy; yield the URL that phones use."""
    spy, settings = Spy(), Config(server=Server(port=0), journal=Journal(path=""))
    broker = request.getfixturevalue("broker") if transport == "mqtt" else ""
    settings = msgspec.structs.replace(settings, mqtt=config.Mqtt(url=broker))
    async with service.running(settings, spy) as running:
        async for attempt in stamina.retry_context(on=AssertionError, wait_initial=0.02):
            with attempt:
                assert running.bridge is None or running.bridge.connected
        yield (broker or running.ws_url), spy


def walking_33(seconds: int = 90) -> Samples:
    """The first samples of WISDM v1.1's user 33, or where there are none, of nobody."""
    count = 20 * seconds
    if "GAITWAY_DATA" not in os.environ:
        return made_up(count)
    recordings, _ = FORMATS["wisdm-v1.1"].load(Path(os.environ["GAITWAY_DATA"]))
    own = [recording.xyz for recording in recordings if recording.subject == "33"]
    return np.concatenate(own)[:count]


def made_up(count: int) -> Samples:
    t = np.arange(count) / 20
    swing = np.column_stack([np.sin(12 * t), 4 * np.sin(24 * t) + 9.8, np.cos(12 * t)])
    return (swing + np.random.default_rng(1).normal(0, 0.3, (count, 3))).astype(np.float32)


def cuts(count: int, seed: int) -> list[tuple[int, int]]:
    """Cut `count` samples at random into frames of 1 to 150."""
    random, edges = np.random.default_rng(seed), [0]
    while edges[-1] < count:
        edges.append(min(count, edges[-1] + int(random.integers(1, 150))))
    return list(pairwise(edges))


async def play(
    url: str, device: str, xyz: Samples, t: Times | None, expected: int, seed: int
) -> list[Prediction]:
    """Stream as a phone; return the predictions once all expected ones are there."""
    predictions: list[Prediction] = []
    async with AsyncExitStack() as stack:
        phone = await stack.enter_async_context(Phone(url, device, encoding=_encoding(seed)))
        for first, end in cuts(len(xyz), seed):
            await phone.send(xyz[first:end], None if t is None else t[first:end])
        async for message in phone.messages():
            if isinstance(message, Prediction):
                predictions.append(message)
            if len(predictions) == expected:
                break
    return predictions


def _encoding(seed: int) -> Encoding:
    return "json" if seed % 2 else "binary"


def probabilities(predictions: list[Prediction], names: tuple[str, ...]) -> NDArray[np.float64]:
    return np.array([[p.probabilities[name] for name in names] for p in predictions])


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("seed", [0, 1])
async def test_untimed_at_20_hz_gives_what_the_artifact_gives(
    transport: str, seed: int, request: pytest.FixtureRequest
) -> None:
    xyz = walking_33()
    starts = range(0, len(xyz) - 199, 40)
    offline = np.stack([xyz[start : start + 200] for start in starts])
    async with served(transport, request) as (url, spy):
        predictions = await play(url, "pixel-7", xyz, None, len(starts), seed)
    assert [p.window for p in predictions] == list(range(len(starts)))
    assert [(p.start, p.end) for p in predictions] == [(s, s + 200) for s in starts]
    assert spy.windows == [window.tobytes() for window in offline]
    names = spy.model.manifest.activities
    answers = spy.model.classify(offline)
    np.testing.assert_allclose(probabilities(predictions, names), answers, atol=1e-6, rtol=0)


def rough(rate_hz: float, seed: int) -> tuple[Samples, Times]:
    """A stream as bad phones send it: jitter, a gap, late and repeated samples, a clock step."""
    random, count = np.random.default_rng(seed), int(70 * rate_hz)
    t = 5000 + (np.arange(count) + random.uniform(-0.2, 0.2, count)) / rate_hz
    t[count // 3 :] += 4.0
    t[2 * count // 3 :] -= 30.0
    for i in random.integers(0, count - 8, 12):
        t[i], t[i + 5] = t[i + 5], t[i]
        t[i + 7] = t[i + 6]
    xyz = np.repeat(made_up(20 * 71), int(np.ceil(rate_hz / 20)), axis=0)[:count]
    return (xyz + random.normal(0, 0.2, xyz.shape)).astype(np.float32), t


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("rate_hz", [50.0, 100.0])
async def test_timed_streams_give_what_a_session_fed_in_one_piece_gives(
    transport: str, rate_hz: float, request: pytest.FixtureRequest
) -> None:
    xyz, t = rough(rate_hz, seed=3)
    async with served(transport, request) as (url, spy):
        names = spy.model.manifest.activities
        offline = Session("a", "s", SessionOptions(activities=names, model="m"))
        # JSON keeps float64 times to the bit; binary frames carry float32 seconds after t0.
        windows = offline.feed(Frame(None, t, None, xyz))
        assert len(windows) > 15
        predictions = await play(url, "pixel-7", xyz, t, len(windows), seed=1)
    assert [p.window for p in predictions] == [w.number for w in windows]
    assert spy.windows == [w.xyz.tobytes() for w in windows]
    answers = spy.model.classify(np.stack([w.xyz for w in windows]))
    np.testing.assert_allclose(probabilities(predictions, names), answers, atol=1e-6, rtol=0)
    assert [p.t for p in predictions] == [w.t for w in windows]
