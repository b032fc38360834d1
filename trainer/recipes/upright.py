"""Windows as if every phone stood upright: so it is the same which way round one is in a pocket."""

from typing import Any

from trainer.runtime import keras

ops = keras.ops
Keras = Any  # Keras is untyped

NOTHING = 1e-12  # (m/s²)², so that no direction is finite; more would shrink a flat phone's sway


def upright(windows: Keras) -> tuple[Keras, Keras]:
    """Return windows (n, time, 3) turned about the screen's normal until gravity points along y.

    That is its share in the screen's plane, of the mean of a window; x is then what is across, and
    z, out of the screen, stays as it is. The second is the same less each window's first reading:
    without gravity, float32 has digits left for a small sway.
    """
    turn = _turn(ops.mean(windows, axis=1))
    return ops.matmul(windows, turn), ops.matmul(windows - windows[:, :1], turn)


def _turn(gravity: Keras) -> Keras:
    """Return the directions of x, y and z as columns (n, 3, 3), for gravity (n, 3) in m/s²."""
    in_plane = gravity[:, :2]
    length = ops.sqrt(ops.sum(ops.square(in_plane), axis=-1, keepdims=True) + NOTHING)
    x, y = ops.split(in_plane / length, 2, axis=-1)  # (n, 1) each
    none = ops.zeros_like(x)
    across = ops.concatenate([y, -x, none], axis=-1)
    along = ops.concatenate([x, y, none], axis=-1)
    out = ops.concatenate([none, none, none + 1], axis=-1)
    return ops.stack([across, along, out], axis=-1)
