"""The network of `pocket`: it reads a window hop by hop, and may say that it is none of the six.

Convolutions encode the movement of each hop, a bidirectional LSTM reads the hops in both
directions, and beside them stands how much the readings stir. That says how somebody moves, or
that they are still; whether they sit or stand is for `stillness` alone to say. A network that may
use all that it sees for it learns by heart how its people sit.
"""

from typing import Any

from stream.config import Signal
from stream.wire.limits import STANDARD_GRAVITY
from trainer.recipes.stillness import loudness, stillness
from trainer.recipes.upright import upright
from trainer.recordings import ACTIVITIES
from trainer.runtime import keras

layers, ops = keras.layers, keras.ops
Keras = Any  # Keras is untyped

WIDTH = 64  # features of movement, and as many of stillness
SITTING, STANDING = ACTIVITIES.index("Sitting"), ACTIVITIES.index("Standing")


def hop_bilstm(signal: Signal, activities: int) -> Keras:
    """Return the network: windows (batch, time, 3) in m/s² to logits (batch, activities + 1).

    The last logit stands for none of the activities.
    """
    windows = keras.Input((signal.window, 3), name="windows")
    turned, moved = upright(windows)
    told = stillness(ops.mean(turned, axis=1), moved, signal)
    seen = ops.concatenate([_movement(windows, turned, moved, signal), told], axis=-1)
    movement = layers.Dense(WIDTH, activation="relu")(seen)
    still = layers.Dense(WIDTH, activation="relu")(told)
    # One layer, so that `gaitway adapt` has one to fit; the constraint keeps its halves apart.
    logits = layers.Dense(activities + 1, kernel_constraint=kept_apart, name="logits")
    both = ops.concatenate([movement, still], axis=-1)
    return keras.Model(windows, logits(both), name="hop_bilstm")


def kept_apart(kernel: Keras) -> Keras:
    """Return a last layer's weights (2 · WIDTH, activities + 1) as each half may have them.

    Features of movement, the first half, weigh the same for sitting and for standing. Those of
    stillness weigh for one as much as against the other, and nothing for all else.
    """
    moving, still = kernel[:WIDTH], kernel[WIDTH:]
    both = (moving[:, SITTING] + moving[:, STANDING]) / 2
    sitting = (still[:, SITTING] - still[:, STANDING]) / 2
    columns = [ops.concatenate([weights, 0 * sitting]) for weights in ops.unstack(moving, axis=1)]
    columns[SITTING] = ops.concatenate([both, sitting])
    columns[STANDING] = ops.concatenate([both, -sitting])
    return ops.stack(columns, axis=1)


def _movement(windows: Keras, turned: Keras, moved: Keras, signal: Signal) -> Keras:
    """Return what the LSTM makes of windows' hops, and how much they stir: (n, 268).

    The convolutions see them as they were recorded and `upright`, side by side: either alone is
    worse with some people.
    """
    count = signal.window // signal.hop
    hops = ops.concatenate([windows, turned], axis=-1)
    hops = ops.reshape(hops, (-1, signal.hop, 6))  # (n * count, hop, 6)
    x = _pooled(_convolutions(hops / STANDARD_GRAVITY))  # (n * count, 288)
    x = ops.concatenate([x, _stirring(hops[:, :, 3:])], axis=-1)  # (n * count, 297)
    x = ops.reshape(x, (-1, count, x.shape[-1]))
    x = layers.Bidirectional(layers.LSTM(64, return_sequences=True))(x)  # (n, count, 128)
    means = ops.mean(ops.reshape(moved, (-1, count, signal.hop, 3)), axis=2)
    sway = loudness(ops.var(means, axis=1))  # slower than a hop
    x = [ops.max(x, axis=1), ops.mean(x, axis=1), _stirring(turned), sway]
    return ops.concatenate(x, axis=-1)


def answering(network: Keras, temperature: float) -> Keras:
    """Return windows to probabilities (batch, activities): `calibration.shared_out` as a graph."""
    windows = keras.Input(network.input_shape[1:], name="windows")
    shares = ops.softmax(network(windows) / temperature)
    activities = network.output_shape[-1] - 1
    probabilities = shares[:, :activities] + shares[:, activities:] / activities
    return keras.Model(windows, probabilities, name=network.name)


def _convolutions(x: Keras) -> Keras:
    """Encode hops (n, 40, 6) as features over time (n, 5, 96)."""
    x = layers.Conv1D(32, 5, strides=2, activation="relu")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv1D(64, 5, strides=2, activation="relu")(x)
    x = layers.BatchNormalization()(x)
    return layers.Conv1D(96, 3, activation="relu")(x)


def _pooled(x: Keras) -> Keras:
    """Join maximum, mean and standard deviation over time: (n, time, f) to (n, 3f)."""
    # The square root's slope is infinite at 0, where a feature is off throughout a hop.
    deviation = ops.sqrt(ops.var(x, axis=1) + 1e-6)
    return ops.concatenate([ops.max(x, axis=1), ops.mean(x, axis=1), deviation], axis=-1)


def _stirring(readings: Keras) -> Keras:
    """Return gravity, and how much and how fast readings (n, time, 3) stir, by axis: (n, 9)."""
    steps = readings[:, 1:] - readings[:, :-1]
    gravity = ops.mean(readings, axis=1) / STANDARD_GRAVITY
    speed = loudness(ops.mean(ops.square(steps), axis=1))
    return ops.concatenate([gravity, loudness(ops.var(readings, axis=1)), speed], axis=-1)
