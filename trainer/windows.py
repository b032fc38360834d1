"""Labelled windows, cut by the server's own resampler and windower, and by nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from stream.resample import Resampler
from stream.window import Window, Windower
from trainer.errors import DataError
from trainer.recordings import ACTIVITIES, Recording


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Windows (n, time, axis) float32 in m/s², and for each its label's index and its origin."""

    xyz: NDArray[np.float32]
    labels: NDArray[np.int64]
    datasets: NDArray[np.str_]
    subjects: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.xyz)

    def where(self, mask: NDArray[np.bool_] | NDArray[np.int64]) -> "Examples":
        """Return the examples that `mask` selects."""
        return Examples(self.xyz[mask], self.labels[mask], self.datasets[mask], self.subjects[mask])

    def people(self) -> dict[str, list[str]]:
        """Return the subjects of each data set, sorted."""
        return {
            str(name): by_number(self.subjects[self.datasets == name].tolist())
            for name in np.unique(self.datasets)
        }


def by_number(subjects: Iterable[str]) -> list[str]:
    """Return each subject once, 2 before 10."""
    return sorted(set(subjects), key=lambda subject: (len(subject), subject))


def examples(recordings: Iterable[Recording], signal: Signal) -> Examples:
    """Cut recordings into windows; those whose label is none of the six activities are left out.

    A window's label is its most frequent one, of equals the first by alphabet. Raises DataError
    if nothing is left.
    """
    found = [
        (window.xyz, ACTIVITIES.index(label), recording.dataset, recording.subject)
        for recording in recordings
        for window in cut(recording, signal)
        if (label := _label(recording, window)) in ACTIVITIES
    ]
    if not found:
        raise DataError(f"no recording is long enough for one window of {signal.window} samples")
    xyz, labels, datasets, subjects = zip(*found, strict=True)
    return Examples(np.stack(xyz), np.array(labels), np.array(datasets), np.array(subjects))


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


def _label(recording: Recording, window: Window) -> str:
    first, last = np.searchsorted(times(recording), window.t)
    names, counts = np.unique(recording.labels[first : max(last, first + 1)], return_counts=True)
    return str(names[counts.argmax()])
