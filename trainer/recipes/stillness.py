"""What tells somebody who sits from somebody who stands, as a graph: gravity, and how one sways.

Convolutions of raw readings see too faintly how little stirs. Here it is the logarithm that counts.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from stream.wire.limits import STANDARD_GRAVITY
from trainer.runtime import keras

ops = keras.ops
Keras = Any  # Keras is untyped

STILLEST = 1e-6  # (m/s²)², under the noise of any sensor: what a frozen one shows
BANDS_HZ = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 7.0, 10.0)  # the edges
NO_GRAVITY = 1e-3  # (m/s²)², so that its direction is finite where there is none
FAINTEST = 1e-5  # of an axis's mean band: a logarithm of less would magnify float32's rounding


def stillness(gravity: Keras, moved: Keras, signal: Signal) -> Keras:
    """Return what is told apart by, (n, 2 + 28 + 9).

    `gravity` (n, 3) and what moved beside it, (n, 3, time), are in m/s² and of `upright` readings.
    They give gravity's shares in the screen's plane and out of it; the mean power in each of
    `BANDS_HZ`, along x, y, z and gravity; and the largest, least and mean variance of a hop, by x,
    y and z. All have about unit spread among people who sit or stand.
    """
    moved = moved - ops.mean(moved, axis=2, keepdims=True)
    powers, variances = _powers(_with_vertical(moved, gravity), signal), _variances(moved, signal)
    stirred = loudness(ops.concatenate([powers, variances], axis=-1))
    shares = ops.abs(gravity[:, 1:]) / STANDARD_GRAVITY
    return ops.concatenate([3 * (shares - 0.5), 3 * stirred + 0.6], axis=-1)


def loudness(square: Keras) -> Keras:
    """Bring (m/s²)² of a sensor's noise up to a run into about -1 to 2."""
    return ops.log(square + STILLEST) / 4 + 1


def _with_vertical(moved: Keras, gravity: Keras) -> Keras:
    """Add what moves along gravity to what moves along x, y and z: (n, 4, time)."""
    length = ops.sqrt(ops.sum(ops.square(gravity), axis=-1, keepdims=True) + NO_GRAVITY)
    vertical = ops.matmul((gravity / length)[:, None], moved)
    return ops.concatenate([moved, vertical], axis=1)


def _powers(moved: Keras, signal: Signal) -> Keras:
    """Return the mean power by axis in each band, (n, 4 · bands), of what moves (n, 4, time)."""
    waves, bands = _spectrum(signal)
    amplitudes = ops.matmul(ops.reshape(moved, (-1, signal.window)), waves)
    powers = ops.matmul(ops.square(amplitudes), bands)  # (4n, bands)
    powers = powers + FAINTEST * ops.mean(powers, axis=-1, keepdims=True)
    return ops.reshape(powers, (-1, 4 * (len(BANDS_HZ) - 1)))


def _spectrum(signal: Signal) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the waves (time, 2 · frequencies) under a Hann window, and bands of their squares.

    Welch, "The use of fast Fourier transform for the estimation of power spectra", 1967, for one
    segment. A graph has no complex numbers: sines stand beside cosines.
    """
    hann = np.hanning(signal.window)
    transform = np.fft.rfft(np.diag(hann), axis=0)  # (frequencies, time)
    waves = np.vstack([transform.real, transform.imag]) / np.linalg.norm(hann)
    hz = np.fft.rfftfreq(signal.window, 1 / signal.grid_hz)
    band = np.digitize(hz, BANDS_HZ[1:-1])
    bands = (band == np.arange(len(BANDS_HZ) - 1)[:, None]).astype(float)
    bands /= bands.sum(axis=1, keepdims=True)
    return waves.T.astype(np.float32), np.hstack([bands, bands]).T.astype(np.float32)


def _variances(moved: Keras, signal: Signal) -> Keras:
    """Return the largest, least and mean variance of a hop by axis, (n, 9)."""
    hops = ops.reshape(moved, (-1, 3, signal.window // signal.hop, signal.hop))
    variance = ops.var(hops, axis=3)  # (n, 3, hops)
    parts = [ops.max(variance, axis=2), ops.min(variance, axis=2), ops.mean(variance, axis=2)]
    return ops.concatenate(parts, axis=-1)
