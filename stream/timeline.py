"""When each sample of a session was taken: by its own time, or by counting. Not who sent it."""

import numpy as np
from numpy.typing import NDArray

from stream.errors import MixedTimeError
from stream.wire import Frame


class Timeline:
    """Gives every sample of one session its device time; the first frame decides how.

    A *timed* session goes by the frames' times; a frame without time goes on at the last frame's
    rate. An *untimed* one counts: sample n is at n / rate_hz.
    """

    def __init__(self) -> None:
        self.timed: bool | None = None  # None until the first frame
        self.rate_hz = 0.0
        self._count = 0  # samples so far, untimed
        self._last_t = 0.0  # s, timed

    def place(self, frame: Frame, default_rate_hz: float) -> NDArray[np.float64]:
        """Return the (n,) device times in s of `frame`'s samples.

        Raises MixedTimeError for a timed frame, or another rate, in an untimed session; the
        timeline is then as before.
        """
        timed = frame.t is not None if self.timed is None else self.timed
        t = self._timed(frame) if timed else self._counted(frame, default_rate_hz)
        self.timed = timed
        return t

    def _counted(self, frame: Frame, default_rate_hz: float) -> NDArray[np.float64]:
        if frame.t is not None:
            raise MixedTimeError("a frame with time in an untimed session", frame.seq)
        rate_hz = frame.rate_hz or default_rate_hz
        if self._count and rate_hz != self.rate_hz:
            raise MixedTimeError(
                f"rate_hz = {rate_hz:g} in an untimed session of {self.rate_hz:g} Hz; to change "
                "the rate, send times or open a new session",
                frame.seq,
            )
        self.rate_hz = rate_hz
        t = np.arange(self._count, self._count + len(frame.xyz)) / rate_hz
        self._count += len(frame.xyz)
        return t

    def _timed(self, frame: Frame) -> NDArray[np.float64]:
        n = len(frame.xyz)
        if frame.t is None:
            t = self._last_t + np.arange(1, n + 1) / (frame.rate_hz or self.rate_hz)
        else:
            t = frame.t
            self.rate_hz = frame.rate_hz or self._rate_of(t)
        self._last_t = float(t[-1])
        return t

    def _rate_of(self, t: NDArray[np.float64]) -> float:
        """Rate of a frame by its times; where they tell nothing, the rate so far or 20 Hz."""
        span = t[-1] - (t[0] if len(t) > 1 else self._last_t)
        intervals = max(len(t) - 1, 1)
        if not 0 < span < intervals * 10:
            return self.rate_hz or 20.0
        return float(intervals / span)
