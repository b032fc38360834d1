"""How a signal stood at moments of the last seconds: sums, and so means over any span between."""

from array import array
from collections.abc import Iterator
from math import hypot, sqrt
from operator import itemgetter
from typing import NamedTuple

SPAN_S = 1.0  # in which a phone that was turned over before or after shows gravity
WEAK, STRONG = 0.5, 2.0  # m/s²: shorter than any gravity, even one in g; longer than one in g
CLEAR = 0.8  # share of gravity in what a phone feels that is not shaken


class Mark(NamedTuple):
    """The signal until one moment: its length without breaks, its samples, and their sums."""

    lived_s: float
    samples: float
    x: float
    y: float
    z: float
    square: float  # of the length


NOTHING = Mark(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class Marks:
    """The marks of the last seconds, oldest first; bare numbers take a fifth of the memory."""

    def __init__(self, saved: bytes = b"") -> None:
        self._values = array("d", saved)

    def __len__(self) -> int:
        return len(self._values) // len(NOTHING)

    def __getitem__(self, index: int) -> Mark:
        size = len(NOTHING)
        begin = range(len(self))[index] * size
        return Mark(*self._values[begin : begin + size])

    def add(self, mark: Mark) -> None:
        """Add the newest."""
        self._values.extend(mark)

    def drop_first(self) -> None:
        """Forget the oldest."""
        del self._values[: len(NOTHING)]

    def drop_last(self) -> None:
        """Forget the newest."""
        del self._values[-len(NOTHING) :]

    def clear(self) -> None:
        """Forget all."""
        del self._values[:]

    def tobytes(self) -> bytes:
        """Return all of them, as (n, 6) float64."""
        return self._values.tobytes()

    def gravity(self) -> tuple[float, float]:
        """Return the length of the mean reading in m/s², and its share of the readings' RMS.

        A phone that was turned over has no mean; then those of the second that shows it best.
        """
        whole = _mean(self[0], self[-1])
        if whole[0] >= STRONG:  # nearly always
            return whole
        clear = [mean for mean in self._seconds() if mean[0] >= WEAK and mean[1] >= CLEAR]
        return max([whole, *clear], key=itemgetter(1))

    def _seconds(self) -> Iterator[tuple[float, float]]:
        """Yield the means of all spans of a second, or little more."""
        marks, end = [self[i] for i in range(len(self))], 0
        for old in marks:
            while end < len(marks) and marks[end].lived_s - old.lived_s < SPAN_S:
                end += 1
            if end < len(marks):
                yield _mean(old, marks[end])


def _mean(old: Mark, new: Mark) -> tuple[float, float]:
    """Return the length of the mean reading between two marks, and its share of the RMS."""
    samples = max(new.samples - old.samples, 1)
    mean = hypot(new.x - old.x, new.y - old.y, new.z - old.z) / samples
    rms = sqrt(max((new.square - old.square) / samples, mean**2, 1e-12))
    return mean, mean / rms
