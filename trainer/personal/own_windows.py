"""Windows of one's own recordings that have one label throughout, and the take of each."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from trainer.recordings import Recording
from trainer.windows import cut, times

MIXED = "more than one label"


@dataclass(frozen=True, slots=True, eq=False)
class OwnWindows:
    """Windows (n, time, 3) in m/s², the index of each one's activity and of its take (n,).

    A take is recorded without a break and has one label; windows of two never overlap. `others`
    counts windows without one of the activities, by label.
    """

    xyz: NDArray[np.float32]
    labels: NDArray[np.int64]
    takes: NDArray[np.int64]
    others: Counter[str]

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, mask: NDArray[np.bool_] | NDArray[np.int64]) -> "OwnWindows":
        """Return the windows that `mask` selects."""
        return OwnWindows(self.xyz[mask], self.labels[mask], self.takes[mask], self.others)

    def thinned(self, most: int) -> "OwnWindows":
        """Keep at most so many windows of each activity, evenly spread over its recordings."""
        kept = [spread(np.flatnonzero(self.labels == one), most) for one in np.unique(self.labels)]
        return self.where(np.sort(np.concatenate(kept)))


def spread(places: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most so many of the places (n,), evenly spread."""
    if len(places) <= most:
        return places
    return places[np.linspace(0, len(places) - 1, most).round().astype(np.int64)]


def own_windows(
    recordings: Iterable[Recording], activities: Sequence[str], signal: Signal
) -> OwnWindows:
    """Cut recordings by the server's own resampler and windower; keep what has one label."""
    xyz: list[NDArray[np.float32]] = []
    found: list[tuple[int, int]] = []  # activity, take
    others = Counter[str]()
    begun = 0
    for recording in recordings:
        t = times(recording)
        # The take of each sample, counted on from the recordings before.
        changes = recording.labels[1:] != recording.labels[:-1]
        take = begun + np.concatenate([[0], np.cumsum(changes)])
        begun = int(take[-1]) + 1
        for window in cut(recording, signal):
            first, last = np.searchsorted(t, window.t)
            label, whole = str(recording.labels[first]), take[first] == take[last - 1]
            if whole and label in activities:
                xyz.append(window.xyz)
                found.append((activities.index(label), int(take[first])))
            else:
                others[label if whole else MIXED] += 1
    places = np.array(found, np.int64).reshape(-1, 2)
    empty = np.empty((0, signal.window, 3), np.float32)
    return OwnWindows(np.stack(xyz) if xyz else empty, places[:, 0], places[:, 1], others)
