"""A device's newest samples thinned out for pictures: never more than 20 Hz, never kept."""

from collections.abc import Iterable
from math import ceil

import numpy as np
from numpy.typing import NDArray

from stream.events import Waveform
from stream.signal.resample import Anchor, Stretch

MAX_HZ = 20.0
LEAST_S = 0.5  # a message holds at least so much, unless a gap ends it: frames may be tiny
MOST_S = 10.0  # and at most so much, the newest: frames may be huge, and pictures are small
DECIMALS = 2  # of m/s²


class Thinner:
    """Collects one session's grid samples into messages.

    `feed` takes the stretches that a frame completed, in order, and returns what they fill. What
    is less than `LEAST_S` waits for the next frame; the end of a stream flushes nothing.
    """

    def __init__(self, device: str, session: str, grid_hz: float) -> None:
        self._device = device
        self._session = session
        self._grid_hz = grid_hz
        self._step = ceil(grid_hz / MAX_HZ)  # grid samples
        self._anchor: Anchor | None = None
        self._start = 0  # grid index of the first held sample
        self._held: list[NDArray[np.float32]] = []  # (n, 3) each
        self._count = 0  # samples held

    @property
    def rate_hz(self) -> float:
        """How many samples of a second are kept."""
        return self._grid_hz / self._step

    def feed(self, stretches: Iterable[Stretch]) -> list[Waveform]:
        """Take grid samples in order; return the messages that they fill."""
        out: list[Waveform] = []
        for start, xyz, anchor in stretches:
            if anchor is not self._anchor:  # a gap, or the beginning
                out += self._filled()
                self._anchor = anchor
            skip = -start % self._step
            thin = xyz[skip :: self._step]
            if not self._count:
                self._start = start + skip
            self._held.append(thin)
            self._count += len(thin)
            if self._count >= LEAST_S * self.rate_hz:
                out += self._filled()
        return out

    def _filled(self) -> list[Waveform]:
        """Return what is held as a message, and hold nothing."""
        if not self._count or self._anchor is None:
            return []
        xyz = np.concatenate(self._held)[-ceil(MOST_S * self.rate_hz) :]
        first = self._start + (self._count - len(xyz)) * self._step
        self._held, self._count = [], 0
        t0 = self._anchor.t + (first - self._anchor.start) / self._grid_hz
        rounded = np.round(xyz.astype(np.float64), DECIMALS) + 0.0  # and no -0.0
        return [
            Waveform(
                device=self._device,
                session=self._session,
                t0=round(t0, 6),
                rate_hz=self.rate_hz,
                xyz=rounded.tolist(),
            )
        ]
