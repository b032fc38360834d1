"""What is wrong with a device's signal, in one plain sentence. Judges, but changes nothing."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CHECK_S = 2.0  # device time between two looks
FROZEN_S = 3.0  # no real sensor repeats itself to the bit for so long
MEMORY_S = 5.0  # how far back the rate is measured
SLOW_HZ = 18.0  # below it the grid of 20 Hz is guessed between samples
RATE_CHANGE = 0.1


class Verdict(NamedTuple):
    """The signal as it is; `advice` is empty where nothing should change."""

    good: bool
    rate_hz: float
    gaps: int
    late: int
    skipped: int
    advice: str


class Monitor:
    """Watches the samples of one session."""

    def __init__(self) -> None:
        self.skipped = 0  # frames that the device gave up
        self._marks: list[tuple[float, int]] = []  # (t in s, samples until then)
        self._count = 0
        self._norm = 9.8  # m/s², mean of the last frame that was long enough
        self._last = np.full(3, np.nan, np.float32)
        self._moved_t = -np.inf  # when a reading last differed from the one before
        self._checked_t = -np.inf
        self._said: Verdict | None = None

    def feed(self, t: NDArray[np.float64], xyz: NDArray[np.float32]) -> None:
        """Take samples (n, 3) in m/s² at times (n,) in s."""
        now = float(t[-1])
        if self._marks and not 0 <= now - self._marks[-1][0] <= MEMORY_S:
            self._marks, self._moved_t, self._checked_t = [], -np.inf, -np.inf
        changed = np.flatnonzero((np.diff(xyz, axis=0, prepend=self._last[None]) != 0).any(axis=1))
        if len(changed):
            self._moved_t = float(t[changed[-1]])
        self._last = xyz[-1]
        self._norm += (float(np.sqrt((xyz.mean(axis=0) ** 2).sum())) - self._norm) / 4
        self._count += len(t)
        self._marks.append((now, self._count))
        while len(self._marks) > 2 and now - self._marks[1][0] >= MEMORY_S:
            self._marks.pop(0)

    def verdict(self, gaps: int, late: int) -> Verdict | None:
        """Return what to say now, or None where nothing changed since it was last said."""
        now = self._marks[-1][0]
        if now - self._marks[0][0] < CHECK_S or 0 <= now - self._checked_t < CHECK_S:
            return None
        self._checked_t = now
        rate_hz = round(self._rate_hz(), 1)
        advice = self._advice(rate_hz, now)
        skipped = f"{self.skipped} frames were skipped and are lost." if self.skipped else ""
        verdict = Verdict(not advice, rate_hz, gaps, late, self.skipped, advice or skipped)
        if self._said is not None and _same(verdict, self._said):
            return None
        self._said = verdict
        return verdict

    def _rate_hz(self) -> float:
        (t0, n0), (t1, n1) = self._marks[0], self._marks[-1]
        return (n1 - n0) / (t1 - t0) if t1 > t0 else 0.0

    def _advice(self, rate_hz: float, now: float) -> str:
        if now - self._moved_t >= FROZEN_S:
            return "The sensor repeats the same reading: check that motion sensors are switched on."
        if self._norm < 0.5:
            return "Gravity is missing: send acceleration with gravity, or gravity beside it."
        if self._norm < 2.0:
            return "The readings look like g: connect with units=g, or send m/s²."
        if rate_hz < SLOW_HZ:
            return f"Your rate is {rate_hz:g} Hz, at least 20 Hz is needed."
        return ""


def _same(new: Verdict, old: Verdict) -> bool:
    close = abs(new.rate_hz - old.rate_hz) <= RATE_CHANGE * old.rate_hz
    return close and new._replace(rate_hz=0) == old._replace(rate_hz=0)
