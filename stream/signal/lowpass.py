"""The low-pass filter between a device's samples and the grid. Pure arithmetic, no state."""

import numpy as np
from numpy.typing import NDArray

REACH_S = 0.25  # half the filter's length, and how far it looks ahead
CUTOFF_HZ = 9.8  # -6 dB, just under the grid's Nyquist frequency of 10 Hz
KAISER_BETA = 4.0  # 45 dB down from 12.5 Hz on
DENSE_S = 0.045  # largest interval between samples that the filter serves: 25 Hz with jitter
EPSILON_S = 1e-6  # float64 seconds since 1970 are this exact
_STEPS = 4096

Times = NDArray[np.float64]  # (n,) s
Samples = NDArray[np.float64]  # (n, 3) m/s²


def _kernel() -> NDArray[np.float64]:
    """Half of a sinc under a Kaiser window at `_STEPS` points from 0 to `REACH_S`.

    Harris, "On the use of windows", 1978; the sinc is the ideal low-pass filter.
    """
    u = np.linspace(0, 1, _STEPS + 1)
    window = np.i0(KAISER_BETA * np.sqrt(1 - u**2)) / np.i0(KAISER_BETA)
    table = np.sinc(2 * CUTOFF_HZ * REACH_S * u) * window
    return np.append(table, 0.0)  # the point after the last, for interpolation


_TABLE = _kernel()
_SLOPE = np.append(np.diff(_TABLE), 0.0)
_COLUMNS = np.arange(4)


def to_grid(t: Times, xyz: NDArray[np.floating], grid: Times) -> Samples:
    """Return (g, 3) samples at `grid` (g,) from samples (n, 3) at increasing times `t` (n,), in s.

    Where samples are dense on both sides, a low-pass filter in which each sample counts for the
    time it stands for: sum(w·x) / sum(w), w = kernel(distance) x (interval around the sample).
    Elsewhere (a start, an end, a slow or lossy device) the straight line between neighbours:
    there is nothing above the grid's Nyquist frequency to remove.
    """
    # Half-open [first, last). The sample that made a grid point known lies outside its reach, so
    # that the point doesn't depend on whether later samples have come.
    first = t.searchsorted(grid - REACH_S, side="right")
    last = t.searchsorted(grid + (REACH_S - 2 * EPSILON_S), side="left")
    dense = _is_dense(t, first, last)
    if dense.all():
        return _filtered(t, xyz, grid, first, last)
    out: Samples = _lines(t, xyz, grid)
    if dense.any():
        out[dense] = _filtered(t, xyz, grid[dense], first[dense], last[dense])
    return out


def _lines(t: Times, xyz: NDArray[np.floating], grid: Times) -> Samples:
    return np.stack([np.interp(grid, t, xyz[:, axis]) for axis in range(3)], axis=1)


def _is_dense(t: Times, first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether samples surround each grid point with no interval over `DENSE_S`."""
    inside = (first >= 1) & (last < len(t))
    sparse = (t[1:] - t[:-1] > DENSE_S).nonzero()[0]
    if not len(sparse):
        return inside
    # Interval i lies between samples i and i + 1; none of [first - 1, last) may be sparse.
    unbroken: NDArray[np.bool_] = sparse.searchsorted(first - 1) == sparse.searchsorted(last)
    return inside & unbroken


def _filtered(
    t: Times,
    xyz: NDArray[np.floating],
    grid: Times,
    first: NDArray[np.intp],
    last: NDArray[np.intp],
) -> Samples:
    """Sum by `bincount`, one pair of grid point and sample after another.

    Its strict order makes a grid sample the same to the bit whatever else is computed with it;
    a matrix product does not.
    """
    count = last - first
    end = count.cumsum()
    point = np.arange(len(grid)).repeat(count)
    sample = np.arange(len(point)) + (last - end).repeat(count)
    distance = np.abs(t[sample] - grid.repeat(count)) * (_STEPS / REACH_S)
    step = distance.astype(np.intp)
    weight = (_TABLE[step] + (distance - step) * _SLOPE[step]) * _intervals(t)[sample]
    terms = np.empty((len(sample), 4))  # weight, and weight times x, y, z
    terms[:, 0] = weight
    np.multiply(xyz[sample], weight[:, None], out=terms[:, 1:])
    sums = np.bincount((4 * point[:, None] + _COLUMNS).ravel(), terms.ravel(), 4 * len(grid))
    sums = sums.reshape(-1, 4)
    return sums[:, 1:] / sums[:, :1]


def _intervals(t: Times) -> Times:
    """Return the time (n,) that each sample but the first and last stands for, in s."""
    around = np.zeros(len(t))
    around[1:-1] = (t[2:] - t[:-2]) / 2
    return around
