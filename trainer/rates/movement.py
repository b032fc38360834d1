"""A recording as a movement that goes on between its samples, so that any phone may sample it."""

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import convolve1d
from scipy.signal import firwin, resample_poly

from trainer.recordings import Recording
from trainer.windows import times

FINER = 16  # times as many samples as were recorded; a cubic spline between them errs by nothing
ZEROS = 10  # zero crossings of the low-pass filter on each side

Times = NDArray[np.float64]  # (n,) s
Readings = NDArray[np.float32]  # (n, 3) m/s²


class Movement:
    """Band-limited between the samples of one recording, at the times that they were taken.

    A spline or straight lines through the samples of 20 Hz would take away from what lies near
    10 Hz and add images above it; a sinc does neither, and goes through every sample.
    """

    def __init__(self, recording: Recording) -> None:
        self.t = times(recording)
        self._xyz = recording.xyz.astype(np.float64)
        self._rate_hz = 1 / float(np.median(np.diff(self.t)))
        self._known: dict[float, CubicSpline] = {}  # by cutoff

    def sampled(self, t: Times, rate_hz: float) -> Readings:
        """Return readings at times `t` (n,), which lie within the recording, in s.

        A phone that samples more slowly than the recording's did sees no more than half its
        `rate_hz`: what lies above is taken out first.
        """
        cutoff = min(rate_hz / self._rate_hz, 1.0)
        if cutoff not in self._known:
            self._known[cutoff] = self._between(cutoff)
        place = np.interp(t, self.t, np.arange(len(self.t)))
        return np.asarray(self._known[cutoff](place), np.float32)

    def _between(self, cutoff: float) -> CubicSpline:
        """Return readings by sample number; `cutoff` is a share of half the recording's rate."""
        xyz = self._xyz
        if cutoff < 1:
            taps = firwin(2 * round(ZEROS / cutoff) + 1, cutoff)
            xyz = convolve1d(xyz, taps, axis=0, mode="nearest")
        fine = resample_poly(xyz, FINER, 1, axis=0, padtype="line")
        return CubicSpline(np.arange(len(fine)) / FINER, fine)
