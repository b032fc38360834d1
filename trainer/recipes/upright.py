"""Windows as if every phone stood upright: so it is the same which way round one is in a pocket."""

from typing import Any

import numpy as np

from trainer.runtime import keras

ops = keras.ops
Keras = Any  # Keras is untyped

# m/s², added to gravity: a phone that lies quite flat is upright as it lies, whatever its rounding
FLAT = np.array([0.0, 1e-5, 0.0], np.float32)
NOTHING = 1e-24  # (m/s²)², so that there is a direction even where gravity is FLAT's opposite


def upright(readings: Keras) -> tuple[Keras, Keras]:
    """Return readings (n, 3, time) turned about the screen's normal until gravity points along y.

    That is its share in the screen's plane, of the mean of a window; x is then what is across, and
    z, out of the screen, stays as it is. The second is the same less each window's first reading:
    without gravity, float32 has digits left for a small sway.
    """
    turn = _turn(ops.mean(readings, axis=2))
    return ops.matmul(turn, readings), ops.matmul(turn, readings - readings[:, :, :1])


def _turn(gravity: Keras) -> Keras:
    """Return the directions of x, y and z as rows (n, 3, 3), for gravity (n, 3) in m/s²."""
    in_plane = (gravity + FLAT)[:, :2]
    length = ops.sqrt(ops.sum(ops.square(in_plane), axis=-1, keepdims=True) + NOTHING)
    x, y = ops.split(in_plane / length, 2, axis=-1)  # (n, 1) each
    none = ops.zeros_like(x)
    across = ops.concatenate([y, -x, none], axis=-1)
    along = ops.concatenate([x, y, none], axis=-1)
    out = ops.concatenate([none, none, none + 1], axis=-1)
    return ops.stack([across, along, out], axis=1)
