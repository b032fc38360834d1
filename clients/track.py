"""What one phone plays: samples on one time line with the labels that go with them."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.wire import Frame


class Track(NamedTuple):
    """One person's samples in order; times increase, and gaps in them are gaps in the stream."""

    name: str
    rate_hz: float
    t: NDArray[np.float64]  # (n,) s
    xyz: NDArray[np.float32]  # (n, 3) m/s² with gravity, Android's sign
    labels: NDArray[np.str_]  # (n,)

    @property
    def duration_s(self) -> float:
        """Time from the first sample to the end of the last."""
        return float(self.t[-1] - self.t[0]) + 1 / self.rate_hz if len(self.t) else 0.0

    def frames(self, frame_s: float, *, timed: bool) -> Iterator[Frame]:
        """Cut the track into frames of `frame_s`; without times all samples follow on evenly."""
        times = self.t if timed else np.arange(len(self.t)) / self.rate_hz
        # Half a millisecond keeps rounding from moving the last sample of a frame to the next.
        number = np.floor((times - times[0] + 5e-4) / frame_s)
        edges = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(times)]
        for start, end in pairwise(edges):
            t = self.t[start:end] if timed else None
            yield Frame(None, t, None, self.xyz[start:end])

    def label_between(self, start: float, end: float) -> str:
        """Return the label of most samples with start <= t < end in s; empty if there are none."""
        low, high = np.searchsorted(self.t, [start, end])
        counts = Counter(self.labels[low:high].tolist())
        return counts.most_common(1)[0][0] if counts else ""

    def first(self, seconds: float) -> "Track":
        """Return the track's beginning: at least one sample, and what is before `seconds`."""
        n = max(int(np.searchsorted(self.t, self.t[0] + seconds)), 1)
        return self._replace(t=self.t[:n], xyz=self.xyz[:n], labels=self.labels[:n])

    def evenly(self) -> "Track":
        """Return the track as an untimed server takes it: sample n at n / rate_hz."""
        return self._replace(t=np.arange(len(self.t)) / self.rate_hz)


def join(name: str, tracks: list[Track], pause_s: float) -> Track:
    """Put tracks one behind the other, each beginning `pause_s` after the last sample before it.

    What follows on in its own time within `pause_s` keeps its distance.
    """
    times: list[NDArray[np.float64]] = []
    end = 0.0  # of what is joined, on the new time line and in the last track's own time
    own_end = -np.inf
    for track in tracks:
        distance = track.t[0] - own_end
        start = end + (distance if 0 < distance <= pause_s else pause_s) if times else 0.0
        times.append(track.t - track.t[0] + start)
        end, own_end = float(times[-1][-1]), float(track.t[-1])
    return Track(
        name,
        tracks[0].rate_hz,
        np.concatenate(times),
        np.concatenate([track.xyz for track in tracks]),
        np.concatenate([track.labels for track in tracks]),
    )
