"""Grid samples become windows of fixed length, a hop apart. Window k covers [k·hop, k·hop + n)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from stream.resample import Stretch


class Window(NamedTuple):
    """A block of grid samples, half-open `[start, end)`."""

    number: int
    start: int
    end: int
    t: tuple[float, float]  # device time of start and end, in s
    utc: float  # of the end, in s since 1970
    xyz: NDArray[np.float32]  # (window, 3) m/s²


class Windower:
    """Cuts windows out of one session's stretches; a stretch that doesn't follow on is a gap.

    The starts of stretches after a gap are divisible by the hop (the resampler sees to it), so
    the numbers of windows across a gap are skipped.
    """

    def __init__(self, signal: Signal) -> None:
        self._signal = signal
        self._start = 0  # grid index of the first buffered sample
        self._next = 0  # window number
        self._held = np.empty((0, 3), np.float32)

    def feed(self, stretch: Stretch) -> list[Window]:
        """Take grid samples; return the windows that they complete, in order."""
        if stretch.start != self._start + len(self._held):
            self._start = stretch.start
            self._next = -(-stretch.start // self._signal.hop)
            self._held = self._held[:0]
        self._held = np.concatenate([self._held, stretch.xyz])
        windows = []
        while self._next * self._signal.hop + self._signal.window <= self._start + len(self._held):
            windows.append(self._cut(stretch))
            self._next += 1
        self._forget()
        return windows

    def _cut(self, stretch: Stretch) -> Window:
        start = self._next * self._signal.hop
        end = start + self._signal.window
        t0, t1 = (stretch.t + (i - stretch.start) / self._signal.grid_hz for i in (start, end))
        utc = stretch.anchor.utc + (t1 - stretch.anchor.t)
        xyz = self._held[start - self._start : end - self._start].copy()
        return Window(self._next, start, end, (t0, t1), utc, xyz)

    def _forget(self) -> None:
        start = min(self._next * self._signal.hop, self._start + len(self._held))
        self._held = self._held[start - self._start :].copy()
        self._start = start
