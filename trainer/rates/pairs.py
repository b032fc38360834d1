"""Each window as it was recorded and as another stream brings it: two predictions, side by side."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from stream.events import Prediction
from stream.model.classifier import OnnxClassifier
from stream.session import Session, SessionOptions
from stream.signal.window import Window
from stream.wire import Frame
from trainer.rates.movement import Movement
from trainer.rates.variants import AGAINST, RECORDED, VARIANTS, frames, recorded, sent
from trainer.recordings import Recording
from trainer.windows import Described

BATCH = 256


@dataclass(frozen=True, slots=True, eq=False)
class Pairs(Described):
    """Of each window (n,) both streams, both predictions, both confidences, and how it differs.

    `against` names the stream of `before`, and `variants` that of `after`. `difference` is the
    root mean square in m/s². Where the second stream lacks a window, `after` is empty, and its
    confidence and difference are NaN.
    """

    against: NDArray[np.str_]
    variants: NDArray[np.str_]
    before: NDArray[np.str_]
    after: NDArray[np.str_]
    before_confidence: NDArray[np.float64]
    after_confidence: NDArray[np.float64]
    difference: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return all parts as one, in order; there must be one at least."""
        columns = zip(*(part.columns() for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True, slots=True)
class Answered:
    """A window and what the model says about it."""

    window: Window
    prediction: Prediction


Row = tuple[str, str, str, str, float, float, float]  # what `Pairs` has beside the description
Heard = dict[int, Answered]  # by the window's number


class Listener:
    """Predicts for whole streams, each in a session of its own. Raises ArtifactError."""

    def __init__(self, folder: Path) -> None:
        self._model = OnnxClassifier(folder, Signal())
        manifest = self._model.manifest
        self._options = SessionOptions(activities=manifest.activities, model=manifest.model)

    def hear(self, stream: Iterator[Frame]) -> Heard:
        """Return the windows of a stream by their number, each with its prediction."""
        session = Session("phone", "1", self._options)
        windows = [window for frame in stream for window in session.feed(frame)]
        found = {}
        for begin in range(0, len(windows), BATCH):
            part = windows[begin : begin + BATCH]
            answers = self._model.classify(np.stack([window.xyz for window in part]))
            for window, answer in zip(part, answers, strict=True):
                found[window.number] = Answered(window, session.predict(window, answer))
        return found


def person(folder: Path, recordings: Sequence[Recording], seed: int) -> Pairs | None:
    """Compare every variant of one person's recordings; None where they have no window.

    The same numbers are drawn whoever else is measured. A recording has one word throughout.
    """
    listener = Listener(folder)
    found = []
    for number, recording in enumerate(recordings):
        key = f"{seed}/{recording.dataset}/{recording.subject}/{number}"
        rng = np.random.default_rng(zlib.crc32(key.encode()))
        rows = list(compared(listener, recording, rng))
        if rows:
            found.append(_described(recording, rows))
    return Pairs.joined(found) if found else None


def compared(listener: Listener, recording: Recording, rng: np.random.Generator) -> Iterator[Row]:
    """Yield a row for each window of the streams in AGAINST, and for each variant."""
    heard = {RECORDED: listener.hear(frames(recorded(recording), False, recording.rate_hz, rng))}
    if not heard[RECORDED]:
        return
    movement = Movement(recording)
    for variant in VARIANTS:
        heard[variant.name] = listener.hear(sent(recording, movement, variant, rng))
    for against in AGAINST:
        for variant in VARIANTS:
            yield from _rows((against, variant.name), heard[against], heard[variant.name])


def _rows(names: tuple[str, str], before: Heard, after: Heard) -> Iterator[Row]:
    for number, one in before.items():
        yield (*names, *_row(one, after.get(number)))


def _row(one: Answered, other: Answered | None) -> tuple[str, str, float, float, float]:
    before = one.prediction
    if other is None:
        return before.activity, "", before.confidence, np.nan, np.nan
    after = other.prediction
    apart = float(np.sqrt(((one.window.xyz - other.window.xyz) ** 2).mean()))
    return before.activity, after.activity, before.confidence, after.confidence, apart


def _described(recording: Recording, rows: Sequence[Row]) -> Pairs:
    about = (str(recording.labels[0]), recording.dataset, recording.subject)
    return Pairs(
        *(np.full(len(rows), word) for word in about),
        *(np.array(column) for column in zip(*rows, strict=True)),
    )
