"""What is wrong with a device's signal, in one plain sentence. Judges, but changes nothing."""

from math import hypot, inf, sqrt
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream.signal.lowpass import REACH_S
from stream.signal.marks import NOTHING, STRONG, WEAK, Mark, Marks

SETTLE_S = 2.0  # device time before the first word
CHECK_S = 0.9  # device time between two looks; frames of a second must not skip every other
MEMORY_S = 4.0  # how far back rate and gravity are measured
MARK_S = 0.2  # marks are at least so far apart, which bounds their number
FROZEN_S = 2.8  # no real sensor repeats itself to the bit for so long; 5 s with frames of 2 s
LYING_S = 30.0  # the same of one that browsers round, which may lie still so long
ROUNDED_TO = 0.1  # m/s²; by browsers
TOO_LONG = 40.0  # m/s², of gravity
LYING = (9.3, 10.3)  # m/s²: length of a reading at rest, with an error of the sensor's
BREAK_S = 1.0  # longer silence, or a clock set back, is not held against the rate
SLOW_HZ = 18.0  # below it the grid of 20 Hz is guessed between samples
RATE_CHANGE = 0.2  # a rate is news when it differs by so much
LIES_OR_FROZEN = (
    "The sensor repeats the same reading: the phone lies quite still, or its sensor is frozen."
)


class Verdict(NamedTuple):
    """The signal as it is; `advice` is empty where nothing should change."""

    good: bool
    rate_hz: float
    gaps: int
    late: int
    skipped: int
    advice: str


class MonitorState(msgspec.Struct, array_like=True, frozen=True):
    """All that a monitor remembers."""

    skipped: int
    note: str
    marks: bytes  # (n, 6) float64
    newest_t: float
    last: list[float]
    moved_s: float
    checked_s: float
    said: Verdict | None


class Monitor:
    """Watches the samples of one session."""

    def __init__(self) -> None:
        self.skipped = 0  # frames that the device gave up
        self.note = ""  # what was decided about units and signs; said where nothing is wrong
        self._marks = Marks()
        self._newest_t = -inf
        self._last: list[float] = []  # newest reading
        self._moved_s = 0.0  # lived_s when a reading last differed from the one before
        self._checked_s = 0.0
        self.said: Verdict | None = None  # last

    def save(self) -> MonitorState:
        """Return all that it remembers, for `restore`."""
        times = (self._moved_s, self._checked_s)
        readings = (self._marks.tobytes(), self._newest_t, list(self._last))
        return MonitorState(self.skipped, self.note, *readings, *times, self.said)

    def restore(self, state: MonitorState) -> None:
        """Go on where `state` was saved."""
        self.skipped, self.note, self.said = state.skipped, state.note, state.said
        self._marks, self._newest_t = Marks(state.marks), state.newest_t
        self._last, self._moved_s, self._checked_s = (
            list(state.last),
            state.moved_s,
            state.checked_s,
        )

    def feed(self, t: NDArray[np.float64], xyz: NDArray[np.float32]) -> None:
        """Take samples (n, 3) in m/s² at times (n,) in s.

        What is too late for the grid tells nothing, and so most of what comes again.
        """
        if not self._marks:
            self._marks.add(NOTHING)
        fresh = self._fresh(t)
        if not fresh.all():  # seldom
            t, xyz = t[fresh], xyz[fresh]
        if not len(t):
            return
        last = self._marks[-1]
        lived_s = last.lived_s + self._passed(t)
        moved_t = self._moved(t, xyz)
        if moved_t is not None:
            self._moved_s = lived_s - max(self._newest_t - moved_t, 0.0)
        x, y, z = xyz.sum(axis=0).tolist()
        square = last.square + float(np.vdot(xyz, xyz))
        mark = Mark(lived_s, last.samples + len(t), last.x + x, last.y + y, last.z + z, square)
        if len(self._marks) > 1 and last.lived_s - self._marks[-2].lived_s < MARK_S:
            self._marks.drop_last()
        self._marks.add(mark)
        while lived_s - self._marks[1].lived_s >= MEMORY_S:
            self._marks.drop_first()

    def _fresh(self, t: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which samples the grid may still use, but for the newest one again."""
        goes_on = abs(t[0] - self._newest_t) <= BREAK_S
        newest = np.maximum.accumulate(np.append(self._newest_t if goes_on else -inf, t))[:-1]
        fresh: NDArray[np.bool_] = (t > newest - REACH_S) & (t != newest)
        return fresh

    def _passed(self, t: NDArray[np.float64]) -> float:
        """Return the seconds that a frame adds to the signal's length."""
        first, last = float(t[0]), float(t.max())
        if abs(first - self._newest_t) > BREAK_S:
            self._newest_t = first
        passed = max(last - self._newest_t, 0.0)
        if last - first > BREAK_S:  # there may be breaks within
            steps = np.diff(np.maximum.accumulate(t))
            passed -= float(steps[steps > BREAK_S].sum())
        self._newest_t = max(last, self._newest_t)
        return passed

    def _moved(self, t: NDArray[np.float64], xyz: NDArray[np.float32]) -> float | None:
        """Return when a reading last differed from the one before, or None if all repeat."""
        before, self._last = self._last, xyz[-1].tolist()
        if len(xyz) > 1 and xyz[-2].tolist() != self._last:  # nearly always
            return float(t[-1])
        moves = np.flatnonzero(xyz[1:] != xyz[:-1])  # three to a row
        if len(moves):
            return float(t[moves[-1] // 3 + 1])
        return None if self._last == before else float(t[0])

    def verdict(self, gaps: int, late: int) -> Verdict | None:
        """Return what to say now, or None where nothing changed since it was last said."""
        now_s = self._marks[-1].lived_s if self._marks else 0.0
        if now_s < SETTLE_S or now_s - self._checked_s < CHECK_S:
            return None
        self._checked_s = now_s
        rate_hz = self._steady(self._rate_hz())
        advice = self._advice(rate_hz, now_s)
        skipped = f"{self.skipped} frames were skipped and are lost." if self.skipped else ""
        still = now_s - self._moved_s >= FROZEN_S  # and not frozen, or it stood in `advice`
        word = advice or skipped or (LIES_OR_FROZEN if still else self.note)
        verdict = Verdict(not advice, rate_hz, gaps, late, self.skipped, word)
        if self.said is not None and _same(verdict, self.said):
            return None
        self.said = verdict
        return verdict

    def _rate_hz(self) -> float:
        old, new = self._marks[0], self._marks[-1]
        intervals = new.samples - max(old.samples, 1)
        return round(intervals / (new.lived_s - old.lived_s), 1)

    def _steady(self, rate_hz: float) -> float:
        """Keep the rate that was last said until it has changed enough to be news."""
        said = self.said.rate_hz if self.said else 0.0
        close = abs(rate_hz - said) <= RATE_CHANGE * said
        return said if close and (said < SLOW_HZ) == (rate_hz < SLOW_HZ) else rate_hz

    @property
    def complaint(self) -> str:
        """What was last said to be wrong; empty while the signal is good."""
        return self.said.advice if self.said and not self.said.good else ""

    def mean_z(self) -> tuple[float, float]:
        """Return the mean of z in m/s² over the last seconds, and its share of the readings' RMS.

        The share is near 1 where the phone lies flat and still, and 0 before there is anything.
        """
        old, new = (self._marks[0], self._marks[-1]) if self._marks else (NOTHING, NOTHING)
        samples = new.samples - old.samples
        if not samples or new.lived_s - old.lived_s < SETTLE_S:
            return 0.0, 0.0
        rms = sqrt(max((new.square - old.square) / samples, 1e-12))
        z = (new.z - old.z) / samples
        return z, abs(z) / rms

    def start_over(self) -> None:
        """Forget readings, whose signs turned out wrong, but not what was said or counted."""
        self._marks.clear()
        self._last = []
        self._newest_t = -inf
        self._moved_s = self._checked_s = 0.0

    def _may_lie(self) -> bool:
        """Whether the newest reading is one that a phone at rest repeats, since it is rounded."""
        parts = np.asarray(self._last) / ROUNDED_TO
        rounded = bool(np.all(np.abs(parts - parts.round()) < 0.01))
        return rounded and LYING[0] < hypot(*self._last) < LYING[1]

    def _advice(self, rate_hz: float, now_s: float) -> str:
        if now_s - self._moved_s >= FROZEN_S and not self._may_lie():
            return "The sensor repeats the same reading: check that motion sensors are switched on."
        if now_s - self._moved_s >= LYING_S:
            return f"{LIES_OR_FROZEN} Move it: if this stays, motion sensors are off."
        lacks = _of_gravity(*self._marks.gravity())
        if not lacks and rate_hz < SLOW_HZ:
            return f"Your rate is {rate_hz:g} Hz, at least 20 Hz is needed."
        return lacks


def _of_gravity(mean: float, share: float) -> str:
    """Return what is wrong with gravity, by its length and share; empty where nothing is."""
    if mean < WEAK or (mean < STRONG and share < 0.5):  # what is left is movement
        return "Gravity is missing: send acceleration with gravity, or gravity beside it."
    if mean < STRONG:
        return (  # no longer, or a narrow tile cuts it
            "The readings look like g: connect with units=g, send m/s², or set units in "
            "config.toml."
        )
    if mean > TOO_LONG:
        return "The readings look like m/s² that were taken for g: connect without units=g."
    return ""


def _same(new: Verdict, old: Verdict) -> bool:
    """Whether `new` says nothing new: late samples are told of whenever they have doubled."""
    if new == old:
        return True
    return new.late <= 2 * old.late and new._replace(late=0) == old._replace(late=0)
