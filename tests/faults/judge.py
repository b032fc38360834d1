"""What an unbroken run says, by the artifact alone, and how what was heard differs from it."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from stream.config import Signal
from stream.events import Ended, Prediction, Started
from stream.model.classifier import OnnxClassifier
from stream.session import Session, SessionOptions
from stream.wire import Frame

UNEQUAL = ("time", "latency_ms")  # need not be those of an unbroken run
LAST_BITS = 1e-5  # in a batch of two the toy answers up to 1.2e-6 otherwise than for one window
Said = dict[str, Any]  # a prediction or an event, numbers by name


class Stream(NamedTuple):
    """What a phone sends, frame by frame."""

    device: str
    frames: list[tuple[NDArray[np.float32], NDArray[np.float64] | None]]


class Verdict(NamedTuple):
    """Ids of what is missing, of what nobody should have said, and of what was said otherwise."""

    lost: list[str]
    strange: list[str]
    differing: list[str]


FAULTLESS = Verdict([], [], [])


def made_up(device: str, frames: int, seed: int, leaps_s: tuple[float, ...] = ()) -> Stream:
    """Make a stream up: every other one timed, at a rate and with a gap of its own.

    Its clock leaps by each of `leaps_s`, forward or back, somewhere; then it is timed anyway.
    """
    rng = np.random.default_rng(seed)
    sizes = rng.integers(10, 60, frames)
    n = int(sizes.sum())
    level = np.repeat(rng.uniform(-9, 9, n // 300 + 1), 300)[:n]
    xyz = (rng.normal(0, 2, (n, 3)) + level[:, None]).astype(np.float32)
    edges = [0, *np.cumsum(sizes).tolist()]
    t = None
    if seed % 2 or leaps_s:
        t = 50 + np.cumsum(rng.uniform(0.3, 1.7, n) / rng.choice([25.0, 50.0]))
        t[n // 2 :] += 3.0
        for leap_s in leaps_s:
            t[rng.integers(1, n) :] += leap_s
    pieces = [(xyz[a:b], None if t is None else _sent(t[a:b])) for a, b in pairwise(edges)]
    return Stream(device, pieces)


def _sent(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return times as a binary frame has them: a first one, and float32 since then."""
    sent: NDArray[np.float64] = t[0] + (t - t[0]).astype(np.float32)
    return sent


def unbroken(stream: Stream, session: str, artifact: Path) -> list[list[Said]]:
    """Return what a run without a break says to each frame; its end is not among it."""
    classifier = OnnxClassifier(artifact, Signal(), 1)
    options = SessionOptions(classifier.manifest.activities, classifier.manifest.model)
    live = Session(stream.device, session, options)
    said: list[list[Said]] = []
    for seq, (xyz, t) in enumerate(stream.frames):
        messages: list[Prediction | Started | Ended] = []
        for window in live.feed(Frame(seq, t, None, xyz)):
            prediction = live.predict(window, classifier.classify(window.xyz[None])[0])
            messages += [prediction, *live.decide(prediction)]
        said.append([plain(message) for message in messages])
    return said


def plain(message: Prediction | Started | Ended | Said) -> Said:
    """Return what must be equal."""
    raw = message if isinstance(message, dict) else json.loads(msgspec.json.encode(message))
    kept = {key: value for key, value in raw.items() if key not in UNEQUAL}
    return kept | {f"p {name}": p for name, p in kept.pop("probabilities", {}).items()}


def judge(heard: list[Said], expected: list[Said]) -> Verdict:
    """Compare; the last bits of a batch may differ, and the session may have been ended."""
    wanted = {message["id"]: message for message in expected}
    ids = {message["id"] for message in heard}
    strange = [id_ for id_ in ids - wanted.keys() if not id_.endswith("/close/ended")]
    differing = {m["id"] for m in heard if m["id"] in wanted and not _same(m, wanted[m["id"]])}
    return Verdict(sorted(wanted.keys() - ids), sorted(strange), sorted(differing))


def _same(one: Said, other: Said) -> bool:
    return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in other)


def _equal(one: Any, other: Any) -> bool:
    return bool(one == (pytest.approx(other, abs=LAST_BITS) if isinstance(other, float) else other))
