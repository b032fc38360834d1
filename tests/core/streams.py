"""Makes streams as phones send them, cuts them into frames, and sums up what came out."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import asdict
from numpy.typing import NDArray

from stream.config import Signal, Tracker
from stream.events import ActivityEvent, Prediction
from stream.session import Session, SessionOptions
from stream.signal.window import Window
from stream.wire import Frame

SIGNAL = Signal()
ACTIVITIES = ("Downstairs", "Jogging", "Sitting", "Standing", "Upstairs", "Walking")
# Quick to confirm, so that the made-up answers give many activity events.
OPTIONS = SessionOptions(ACTIVITIES, "fake@00000000", tracker=Tracker(confirm_sum=1.0))

Times = NDArray[np.float64]
Readings = NDArray[np.float32]


class Outcome(NamedTuple):
    """Everything that a session said, comparable to the bit."""

    windows: Sequence[tuple[object, ...]]
    predictions: list[Prediction]
    events: list[ActivityEvent]
    counters: dict[str, Any]


def session() -> Session:
    return Session("pixel-7", "s1", OPTIONS)


def readings(n: int, seed: int = 0) -> Readings:
    """Return n lively samples (n, 3) in m/s² whose level changes every few hundred samples."""
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.uniform(-9, 9, n // 300 + 1), 300)[:n]
    return (rng.normal(0, 2, (n, 3)) + level[:, None]).astype(np.float32)


def frame(
    xyz: Readings, t: Times | None = None, seq: int | None = None, rate_hz: float | None = None
) -> Frame:
    return Frame(seq, t, rate_hz, xyz)


def cut(xyz: Readings, t: Times | None, edges: Iterable[int]) -> Iterator[Frame]:
    """Cut one stream into frames at the sample numbers `edges`."""
    inner = sorted({edge for edge in edges if 0 < edge < len(xyz)})
    for seq, (i, j) in enumerate(zip([0, *inner], [*inner, len(xyz)], strict=True)):
        yield Frame(seq, None if t is None else t[i:j], None, xyz[i:j])


def random_edges(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return where to cut n samples: from nowhere to a few samples apart."""
    return rng.integers(0, n, int(n ** rng.uniform(0, 0.75)))


def feed(live: Session, frames: Iterable[Frame], rate_hz: float = 20.0) -> list[Window]:
    return [window for f in frames for window in live.feed(f, rate_hz=rate_hz)]


def fake_probabilities(window: Window) -> NDArray[np.float32]:
    """Answer like a model: the level says what it is, and every bit of the window how sure."""
    best = int(abs(float(window.xyz.mean()))) % len(ACTIVITIES)
    sure = 0.3 + 0.7 * (zlib.crc32(window.xyz.tobytes()) % 1000) / 1000
    probabilities = np.full(len(ACTIVITIES), (1 - sure) / (len(ACTIVITIES) - 1), np.float32)
    probabilities[best] = sure
    return probabilities


def run(frames: Iterable[Frame], rate_hz: float = 20.0) -> Outcome:
    """Feed a session, answer every window, close it."""
    live = session()
    predictions, events, windows = [], [], []
    for window in feed(live, frames, rate_hz):
        windows.append((*window[:5], window.xyz.tobytes()))
        predictions.append(live.predict(window, fake_probabilities(window)))
        events += live.decide(predictions[-1])
    return Outcome(windows, predictions, [*events, *live.close()], asdict(live.counters))


def rough_times(
    n: int, rate_hz: float, seed: int, incidents: Sequence[tuple[str, float, float]] = ()
) -> Times:
    """Return n arrival times in s with jitter and `incidents`: (kind, place 0..1, size).

    `gap` and `step` move everything after them by size seconds; `late` lets some samples after it
    arrive up to size seconds later; `again` sends some samples after it twice.
    """
    rng = np.random.default_rng(seed)
    t = 12.3 + (np.arange(n) + rng.uniform(-0.4, 0.4, n)) / rate_hz
    for kind, place, size in incidents:
        i = int(place * (n - 1))
        if kind in {"gap", "step"}:
            t[i:] += size
        for j in rng.integers(i, min(i + 60, n), 8):
            k = min(j + int(size * rate_hz), n - 1)
            if kind == "late":
                t[j : k + 1] = np.roll(t[j : k + 1], -1)
            elif kind == "again":
                t[k] = t[j]
    return t
