"""How a phone hangs in its pocket, tight or loose, which colours what it feels of a step.

Pure numpy; everything draws from the Generator that is passed in.
"""

import numpy as np
from numpy.typing import NDArray

from stream.config import Signal

KNOTS_HZ = np.array([0.0, 1.0, 2.0, 4.0, 7.0, 10.0])  # up to half of the grid's rate
COMMON_DB = 3.0  # standard deviation at each knot, of all axes alike
AXIS_DB = 2.0  # and of each axis by itself
GRID_HZ = Signal().grid_hz


def coupled(windows: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Weaken or strengthen what moves in windows (batch, time, 3), by frequency and axis.

    Each window has gains of its own, in part common to its axes, in dB on straight lines between
    `KNOTS_HZ`. The mean stays; what turns within a window counts as movement.
    """
    batch, length, axes = windows.shape
    mean = windows.mean(axis=1, keepdims=True)
    # Mirrored, so that the end of a window goes on where it began.
    moved = np.concatenate([windows - mean, (windows - mean)[:, ::-1]], axis=1)
    spectrum = np.fft.rfft(moved, axis=1) * _gains(batch, 2 * length, axes, rng)
    heard = np.fft.irfft(spectrum, 2 * length, axis=1)[:, :length]
    return np.asarray(mean + heard, np.float32)


def _gains(batch: int, length: int, axes: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return random gains (batch, frequencies, axes) for the spectrum of `length` samples."""
    knots = len(KNOTS_HZ)
    common = rng.normal(0.0, COMMON_DB, (batch, knots, 1))
    gains_db = common + rng.normal(0.0, AXIS_DB, (batch, knots, axes))
    hz = np.fft.rfftfreq(length, 1 / GRID_HZ)
    between = np.stack([np.interp(hz, KNOTS_HZ, knot) for knot in np.eye(knots)], axis=1)
    return np.asarray(10 ** (between @ gains_db / 20), np.float32)
