"""Tells units by the header or else by the signal: times in s, acceleration in m/s²."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from stream.wire.limits import STANDARD_GRAVITY
from trainer.errors import DataError
from trainer.recordings.runs import FASTEST_HZ, SLOWEST_HZ, sane

SECONDS: Mapping[str, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
MS2: Mapping[str, float] = {"m/s2": 1.0, "g": STANDARD_GRAVITY}
# Over whole recordings of MotionSense and WISDM the median is 0.8 g (a jogger's free fall) to
# 2.0 g (another jogger's landings). In m/s² that is 6.4 and more, so the units can't be confused.
LEAST_G, MOST_G = 0.65, 2.2


def seconds(times: NDArray[np.float64], unit: str | None, name: str) -> NDArray[np.float64]:
    """Return times (n,) in seconds; without a unit, in the one that makes them a phone's.

    Raises DataError where the median step is not between 1/400 and 1/5 s.
    """
    if len(times) < 2:
        raise DataError(f"{name}: {len(times)} usable rows are too few for a recording")
    for scale in SECONDS.values() if unit is None else [SECONDS[unit]]:
        if sane(times * scale):
            return times * scale
    step = float(np.median(np.diff(times)))
    allowed = f"in {unit}" if unit else "in s, ms, us or ns"
    raise DataError(
        f"{name}: times step by {step:.6g} (median): {allowed} that is not"
        f" {1 / FASTEST_HZ:g} to {1 / SLOWEST_HZ:g} s ({SLOWEST_HZ:g} to {FASTEST_HZ:g} Hz)"
    )


def unit_of(xyz: NDArray[np.float64], unit: str | None, name: str) -> str:
    """Return the unit of acceleration (n, 3), a key of `MS2`: the one named, or told by the signal.

    Raises DataError where the median magnitude, n > 0, is not what a phone with gravity has.
    """
    magnitude = float(np.median(np.linalg.norm(xyz, axis=1)))
    for one in MS2 if unit is None else [unit]:
        if LEAST_G <= magnitude * MS2[one] / STANDARD_GRAVITY <= MOST_G:
            return one
    raise DataError(
        f"{name}: the median magnitude is {magnitude:.3g}{f' {unit}' if unit else ''}:"
        f" with gravity it is about 1 g or 9.8 m/s² ({LEAST_G:g} to {MOST_G:g} g are allowed)"
    )
