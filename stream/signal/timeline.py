"""When each sample of a session was taken: by its own time, or by counting. Not who sent it."""

from math import isclose

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream.errors import MixedTimeError
from stream.wire import Frame
from stream.wire.limits import MAX_RATE_HZ

RATE_TOLERANCE = 1e-6  # binary frames state it as float32
SLOWEST_HZ = 1.0  # below it the times of a frame tell of a gap, not of a rate


class TimelineState(msgspec.Struct, array_like=True, frozen=True):
    """All that a timeline remembers."""

    timed: bool | None
    rate_hz: float
    count: int
    from_t: float


class Timeline:
    """Gives every sample of one session its device time; the first frame decides how.

    A *timed* session goes by the frames' times; a frame without time goes on at the last frame's
    rate. An *untimed* one counts: sample n is at n / rate_hz.
    """

    def __init__(self) -> None:
        self.timed: bool | None = None  # None until the first frame
        self.rate_hz = 0.0
        self._count = 0  # samples since `_from_t` that came without time
        self._from_t = 0.0  # s; untimed, the session's beginning

    def save(self) -> TimelineState:
        """Return all that it remembers, for `restore`."""
        return TimelineState(self.timed, self.rate_hz, self._count, self._from_t)

    def restore(self, state: TimelineState) -> None:
        """Go on where `state` was saved."""
        self.timed, self.rate_hz = state.timed, state.rate_hz
        self._count, self._from_t = state.count, state.from_t

    def place(self, frame: Frame, default_rate_hz: float) -> NDArray[np.float64]:
        """Return the (n,) device times in s of `frame`'s samples.

        Raises MixedTimeError for a timed frame, or another rate, in an untimed session; the
        timeline is then as before.
        """
        timed = frame.t is not None if self.timed is None else self.timed
        place = self._timed if timed else self._counted
        t = place(frame, default_rate_hz)
        self.timed = timed
        return t

    def _counted(self, frame: Frame, default_rate_hz: float) -> NDArray[np.float64]:
        if frame.t is not None:
            raise MixedTimeError("a frame with time in an untimed session", frame.seq)
        rate_hz = frame.rate_hz or default_rate_hz
        if self._count and not isclose(rate_hz, self.rate_hz, rel_tol=RATE_TOLERANCE):
            raise MixedTimeError(
                f"rate_hz = {rate_hz:g} in an untimed session of {self.rate_hz:g} Hz; to change "
                "the rate, send times or open a new session",
                frame.seq,
            )
        self.rate_hz = self.rate_hz or rate_hz
        t = np.arange(self._count, self._count + len(frame.xyz)) / self.rate_hz
        self._count += len(frame.xyz)
        return t

    def _timed(self, frame: Frame, default_rate_hz: float) -> NDArray[np.float64]:
        if frame.t is None:
            return self._carried_on(len(frame.xyz), frame.rate_hz or self.rate_hz)
        self.rate_hz = frame.rate_hz or self._rate_of(frame.t) or self.rate_hz or default_rate_hz
        self._from_t, self._count = float(frame.t[-1]), 0
        return frame.t

    def _carried_on(self, n: int, rate_hz: float) -> NDArray[np.float64]:
        """Count on from the last sample with a time, so that cutting moves no sample by a bit."""
        if rate_hz != self.rate_hz:
            self._from_t += self._count / self.rate_hz
            self.rate_hz, self._count = rate_hz, 0
        self._count += n
        return self._from_t + np.arange(self._count - n + 1, self._count + 1) / rate_hz

    def _rate_of(self, t: NDArray[np.float64]) -> float:
        """Return the rate by a frame's times, or the one since the last; 0 where they tell none."""
        before = self._from_t + self._count / self.rate_hz if self.rate_hz else t[-1]
        span = float(t[-1] - (t[0] if len(t) > 1 else before))
        rate_hz = max(len(t) - 1, 1) / span if span > 0 else 0.0
        return rate_hz if SLOWEST_HZ <= rate_hz <= MAX_RATE_HZ else 0.0
