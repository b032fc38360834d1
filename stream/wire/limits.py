"""What the numbers of a frame may be: each check raises DeviceError with value and limit."""

import numpy as np
from numpy.typing import NDArray

from stream.errors import DeviceError

STANDARD_GRAVITY = 9.80665  # m/s², CGPM 1901
MAX_SEQ = 2**32 - 1
MIN_RATE_HZ, MAX_RATE_HZ = 0.5, 1000.0
MAX_T_S = 1e11  # beyond it a float64 second no longer holds a millisecond


def check_samples(xyz: NDArray[np.float64], max_g: float, seq: int | None) -> None:
    """Refuse (n, 3) samples in m/s² that are not finite or beyond `max_g`."""
    limit = max_g * STANDARD_GRAVITY
    if not np.abs(xyz).max() <= limit:  # NaN is not, either
        row, axis = np.argwhere(~(np.abs(xyz) <= limit))[0]
        raise DeviceError(
            f"sample {row}, {'xyz'[axis]} = {xyz[row, axis]:g} m/s²: finite and within "
            f"±{max_g:g} g (±{limit:.1f} m/s²) is allowed",
            seq,
        )


def check_times(t: NDArray[np.float64], seq: int | None) -> NDArray[np.float64]:
    """Return device times (n,) in s if they are finite and of this planet."""
    fine = np.abs(t) <= MAX_T_S  # false for NaN
    if not fine.all():
        bad = t[~fine][0]
        raise DeviceError(f"t = {bad:g} s: finite and within ±{MAX_T_S:g} s is allowed", seq)
    return t


def check_rate(rate_hz: float | None, seq: int | None) -> float | None:
    """Return a stated rate if a phone can have it."""
    if rate_hz is not None and not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise DeviceError(
            f"rate_hz = {rate_hz:g}: {MIN_RATE_HZ:g} to {MAX_RATE_HZ:g} Hz is allowed", seq
        )
    return rate_hz


def check_seq(seq: int | None) -> int | None:
    """Return the number of a frame if it fits 32 bits."""
    if seq is not None and not 0 <= seq <= MAX_SEQ:
        raise DeviceError(f"seq = {seq}: 0 to {MAX_SEQ} is allowed")
    return seq


def check_count(n: int, max_samples: int, seq: int | None) -> None:
    """Refuse a frame of no samples, or of more than `max_samples`."""
    if not 1 <= n <= max_samples:
        raise DeviceError(f"{n} samples: a frame has 1 to {max_samples}", seq)
