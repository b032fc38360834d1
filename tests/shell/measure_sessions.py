"""What an idle session costs in memory: `python -m tests.shell.measure_sessions`.

Sessions take a minute of samples each, with a journal, and then rest; connections are left out.
Judges nothing: `test_sizes` does.
"""

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import psutil
from numpy.typing import NDArray

from stream import config, wire
from stream.doors import apps
from stream.hub import Hub
from stream.journal.history import History
from stream.journal.journal import Journal
from stream.live import Live
from stream.metrics import Metrics
from stream.model.batcher import Batcher, Deliver
from stream.model.models import Model, Models
from stream.publish import Publisher
from stream.sensor_apps.dialects import SENSOR_LOGGER
from stream.sensor_apps.readings import Push, Reading
from stream.session import SessionOptions
from stream.wire import Source
from stream.wire.binary import encode_binary
from tests.shell.test_hub import Unused

SECONDS = 60.0
MANY, FEW = 10_000, 300  # sessions weighed by the system, and by Python
AT_ONCE = 100  # frames that wait for the journal
ACTIVITIES = ("Downstairs", "Jogging", "Sitting", "Standing", "Upstairs", "Walking")
IDLE_S = 60.0  # since the last frame

Samples = NDArray[np.float32]  # (n, 3) m/s²
Take = Callable[[Hub, Live, int, float, Samples], None]  # seq, begin in s, samples at its rate


class Kind(NamedTuple):
    """How a session's samples come."""

    rate_hz: float
    frame_s: float
    take: Take


class AtOnce(Batcher):
    """A model that answers at once."""

    def __init__(self) -> None:
        super().__init__(Unused(), config.Batcher())
        self._answer = np.array([0.01, 0.01, 0.01, 0.01, 0.06, 0.9], np.float32)

    def submit(self, xyz: Samples, deliver: Deliver) -> None:
        assert xyz.shape == (200, 3)
        deliver(self._answer)


def _timed(hub: Hub, live: Live, seq: int, begin: float, xyz: Samples, rate_hz: float) -> None:
    t = begin + np.arange(len(xyz)) / rate_hz
    _take(hub, live, encode_binary(seq, xyz, t))


def _untimed(hub: Hub, live: Live, seq: int, begin: float, xyz: Samples) -> None:
    _take(hub, live, encode_binary(seq, xyz))


def _take(hub: Hub, live: Live, payload: bytes) -> None:
    frame = wire.decode(payload, Source(), config.Wire(), text=False)
    hub.take(live, frame, 20.0)


def _at(rate_hz: float) -> Take:
    return lambda hub, live, seq, begin, xyz: _timed(hub, live, seq, begin, xyz, rate_hz)


def _app(hub: Hub, live: Live, seq: int, begin: float, xyz: Samples) -> None:
    """Take Sensor Logger's readings: gravity apart from acceleration, at 50 Hz."""
    down = (0.0, 9.8, 0.0)
    readings: list[Reading] = []
    for i, (x, y, z) in enumerate(xyz.tolist()):
        ns = (begin + i / 50) * 1e9
        readings += [Reading("linear", ns, (x, y - 9.8, z)), Reading("gravity", ns, down)]
    push = Push("", live.session.id, seq, readings)
    taking = apps.feed(hub, live.channel, SENSOR_LOGGER, config.Wire(), push, live.session.device)
    with suppress(StopIteration):  # so small a message waits for nobody
        taking.send(None)


KINDS = {
    "20 Hz, no times, frames of 1 s": Kind(20.0, 1.0, _untimed),
    "50 Hz, frames of 1 s": Kind(50.0, 1.0, _at(50.0)),
    "100 Hz, frames of 0.1 s": Kind(100.0, 0.1, _at(100.0)),
    "100 Hz, frames of 40 s": Kind(100.0, 40.0, _at(100.0)),
}
APP = Kind(50.0, 0.5, _app)  # holds a second of gravity besides


def made_hub(journal: Journal, clock: Callable[[], float]) -> Hub:
    """Return a hub whose model answers at once."""
    metrics = Metrics()
    model = Model(SessionOptions(ACTIVITIES, "toy@0"), AtOnce())
    publisher = Publisher(History(journal), metrics)
    return Hub(
        config.Hub(), Models(model), publisher, metrics, clock=clock, utc=clock, journal=journal
    )


def played(hub: Hub, kind: Kind, count: int, seconds: float, prefix: str = "") -> Iterator[None]:
    """Open sessions and feed them in turn; yields after some, to let the journal write."""
    per_frame = round(kind.rate_hz * kind.frame_s)
    rng = np.random.default_rng(0)
    lives = [hub.open("websocket", f"{prefix}phone-{number:05}") for number in range(count)]
    for seq in range(round(seconds / kind.frame_s)):
        xyz = rng.normal([0, 9.8, 0], 3, (per_frame, 3)).astype(np.float32)
        for number, live in enumerate(lives, start=1):
            kind.take(hub, live, seq, 1.7e9 + seq * kind.frame_s, xyz)
            if number % AT_ONCE == 0 or number == count:
                yield


async def grown(kind: Kind, count: int, seconds: float, weigh: Callable[[], int]) -> float:
    """Return the bytes that a session takes, with a journal that has been written."""
    now = time.time()
    clock: Callable[[], float] = lambda: now  # noqa: E731
    with TemporaryDirectory() as folder:
        journal = Journal(config.Journal(path=str(Path(folder, "journal.db"))), Metrics())
        hub = made_hub(journal, clock)
        writing = asyncio.create_task(journal.run(lambda: None))
        await journal.tried.wait()
        for _ in played(hub, kind, 1, seconds):  # what is made once
            await journal.flush()
        before = weigh()
        for _ in played(hub, kind, count, seconds, "more-"):
            await journal.flush()
        now += IDLE_S
        hub.sweep()
        hub.keeper.save_all()
        await journal.flush()
        after = weigh()
        writing.cancel()
        await asyncio.wait([writing])
    return (after - before) / count


def _of_system() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def _of_python() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def main() -> None:
    """Weigh sessions of each kind by Python, and many of one kind by the system."""
    rss = await grown(KINDS["50 Hz, frames of 1 s"], MANY, SECONDS, _of_system)
    print(f"{MANY:,} idle sessions, 50 Hz: {rss:,.0f} bytes of RSS each")  # noqa: T201
    tracemalloc.start()
    for name, kind in (KINDS | {"50 Hz, an app with gravity apart": APP}).items():
        size = await grown(kind, FEW, SECONDS, _of_python)
        print(f"{FEW:,} idle sessions, {name:34} {size:6,.0f} bytes each")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
