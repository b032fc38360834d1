"""How far probabilities can be believed: confidence against accuracy, bin by bin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Of each bin of equal width, (15,): its windows, their mean confidence, and their accuracy.

    Empty bins have 0 for both.
    """

    windows: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error: sum over bins of n/N |accuracy - confidence|.

        Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017,
        equation 3. 0 where there is no window.
        """
        gaps = np.abs(self.accuracy - self.confidence)
        return float((self.windows * gaps).sum() / max(int(self.windows.sum()), 1))


def reliability(confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> Reliability:
    """Sort windows by confidence (n,), the highest probability, into bins ((m-1)/15, m/15]."""
    place = np.clip(np.ceil(confidence.astype(np.float64) * BINS).astype(np.int64) - 1, 0, BINS - 1)
    count = np.bincount(place, minlength=BINS)
    sums = (np.bincount(place, weights, BINS) for weights in (confidence, right))
    means = [total / np.maximum(count, 1) for total in sums]
    return Reliability(count, means[0], means[1])
