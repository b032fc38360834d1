"""Grid samples become windows of fixed length, a hop apart. Window k covers [k·hop, k·hop + n)."""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from stream.signal.resample import Anchor, Stretch

NOTHING = np.empty((0, 3), np.float32)


class Window(NamedTuple):
    """A block of grid samples, half-open `[start, end)`."""

    number: int
    start: int
    end: int
    t: tuple[float, float]  # device time of start and end, in s
    utc: float  # of the end, in s since 1970
    xyz: NDArray[np.float32]  # (window, 3) m/s²


class WindowerState(msgspec.Struct, array_like=True, frozen=True):
    """All that a windower remembers."""

    anchor: Anchor | None
    next: int
    held: bytes  # (n, 3) float32


class Windower:
    """Cuts windows out of one session's stretches; another anchor means that a gap came before.

    The first stretch after a gap starts at a grid index divisible by the hop (the resampler sees
    to it), so the numbers of windows across a gap are skipped.
    """

    def __init__(self, signal: Signal) -> None:
        self._signal = signal
        self._anchor: Anchor | None = None
        self._next = 0  # number of the next window; what is held begins where it begins
        self._held = NOTHING  # less than a window

    def save(self) -> WindowerState:
        """Return all that it remembers, for `restore`."""
        return WindowerState(self._anchor, self._next, self._held.tobytes())

    def restore(self, state: WindowerState) -> None:
        """Go on where `state` was saved."""
        self._anchor, self._next = state.anchor, state.next
        self._held = np.frombuffer(state.held, np.float32).reshape(-1, 3)

    def feed(self, stretch: Stretch) -> list[Window]:
        """Take grid samples; return the windows that they complete, in order."""
        if stretch.anchor != self._anchor:
            self._anchor = stretch.anchor
            self._next = -(-stretch.start // self._signal.hop)
            self._held = NOTHING
        # One array, and not the stretches: each of these may be a sample long, or part of a frame.
        self._held = np.concatenate([self._held, stretch.xyz])
        return self._complete(stretch.anchor) if len(self._held) >= self._signal.window else []

    def _complete(self, anchor: Anchor) -> list[Window]:
        held, hop = self._held, self._signal.hop
        count = (len(held) - self._signal.window) // hop + 1
        windows = [self._cut(held[i * hop :], self._next + i, anchor) for i in range(count)]
        self._held = held[count * hop :].copy()
        self._next += count
        return windows

    def _cut(self, held: NDArray[np.float32], number: int, anchor: Anchor) -> Window:
        start = number * self._signal.hop
        end = start + self._signal.window
        t0, t1 = (anchor.t + (i - anchor.start) / self._signal.grid_hz for i in (start, end))
        utc = anchor.utc + (t1 - anchor.t)
        return Window(number, start, end, (t0, t1), utc, held[: self._signal.window].copy())
