"""Windows and their words, cut by the server's own resampler and windower, by nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from stream.signal.resample import Resampler
from stream.signal.window import Window, Windower
from trainer.errors import DataError
from trainer.labels import NONE, allowed, single
from trainer.recordings import Recording


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """Of each window (n,) its word, data set and subject.

    Words are the data sets' own, whether they mean one of the six activities or not.
    """

    names: NDArray[np.str_]
    datasets: NDArray[np.str_]
    subjects: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.names)

    def where(self, mask: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """Return the windows that `mask` selects."""
        return type(self)(*(column[mask] for column in self.columns()))

    def columns(self) -> tuple[NDArray[Any], ...]:
        """Return every array (n, …) that describes the windows, in the order of the fields."""
        return tuple(getattr(self, field.name) for field in fields(self))

    @property
    def persons(self) -> NDArray[np.str_]:
        """Data set and subject of each window (n,), as in `motionsense/4`."""
        return np.strings.add(np.strings.add(self.datasets, "/"), self.subjects)

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """Which of the six activities each window may be, (n, 6); none for any other word."""
        return allowed(self.names)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The index (n,) of the activity where the word means a single one, elsewhere NONE."""
        return single(self.allowed)

    def known(self) -> Self:
        """Return those that are one of the six activities, or one of several of them."""
        return self.where(self.allowed.sum(axis=1) > 0)

    def labelled(self) -> Self:
        """Return those that are a single one of the six activities."""
        return self.where(self.labels != NONE)

    def people(self) -> dict[str, list[str]]:
        """Return the subjects of each data set, sorted."""
        return {
            str(name): by_number(self.subjects[self.datasets == name].tolist())
            for name in np.unique(self.datasets)
        }


@dataclass(frozen=True, slots=True, eq=False)
class Examples(Described):
    """Windows (n, time, axis) float32 in m/s², gravity included, and what each is."""

    xyz: NDArray[np.float32]


def by_number(subjects: Iterable[str]) -> list[str]:
    """Return each subject once, 2 before 10."""
    return sorted(set(subjects), key=lambda subject: (len(subject), subject))


def examples(recordings: Iterable[Recording], signal: Signal) -> Examples:
    """Cut recordings into windows, of all words.

    A window's word is its most frequent one, of equals the first by alphabet. Raises DataError
    if there is no window.
    """
    found = [
        (window.xyz, _name(recording, window), recording.dataset, recording.subject)
        for recording in recordings
        for window in cut(recording, signal)
    ]
    if not found:
        raise DataError(f"no recording is long enough for one window of {signal.window} samples")
    xyz, names, datasets, subjects = zip(*found, strict=True)
    return Examples(np.array(names), np.array(datasets), np.array(subjects), np.stack(xyz))


def cut(recording: Recording, signal: Signal) -> list[Window]:
    """Feed a whole recording to a fresh resampler and windower, as one session of the server."""
    resampler, windower = Resampler(signal), Windower(signal)
    if recording.t is None and recording.rate_hz == signal.grid_hz:
        stretches = resampler.feed_on_grid(recording.xyz)
    else:
        stretches = resampler.feed(times(recording), recording.xyz)
    return [window for stretch in stretches for window in windower.feed(stretch)]


def times(recording: Recording) -> NDArray[np.float64]:
    """Return device seconds (n,); without timestamps, those of the nominal rate."""
    if recording.t is not None:
        return recording.t
    return np.arange(len(recording)) / recording.rate_hz


def _name(recording: Recording, window: Window) -> str:
    first, last = np.searchsorted(times(recording), window.t)
    names, counts = np.unique(recording.labels[first : max(last, first + 1)], return_counts=True)
    return str(names[counts.argmax()])
