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
    # Axes first: what is summed along time stands side by side, which is twice as fast.
    readings = ops.transpose(windows, (0, 2, 1))
    turned, moved = upright(readings)
    told = stillness(ops.mean(turned, axis=2), moved, signal)
    seen = ops.concatenate([_movement(readings, turned, moved, signal), told], axis=-1)
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


def _movement(readings: Keras, turned: Keras, moved: Keras, signal: Signal) -> Keras:
    """Return what the LSTM makes of the hops of readings (n, 3, time), and how much they stir.

    The convolutions see them as they were recorded and `upright`, side by side: either alone is
    worse with some people. The result is (n, 268).
    """
    count = signal.window // signal.hop
    hops = ops.concatenate([readings, turned], axis=1)
    hops = ops.reshape(hops, (-1, 6, count, signal.hop))
    x = ops.transpose(hops, (0, 2, 3, 1)) / STANDARD_GRAVITY  # (n, count, hop, 6)
    stirring = ops.transpose(_stirring(hops[:, 3:]), (0, 2, 1))  # (n, count, 9)
    x = ops.concatenate([_pooled(_convolutions(x)), stirring], axis=-1)
    x = layers.Bidirectional(layers.LSTM(64, return_sequences=True))(x)  # (n, count, 128)
    means = ops.mean(ops.reshape(moved, (-1, 3, count, signal.hop)), axis=3)
    sway = loudness(ops.var(means, axis=2))  # slower than a hop
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
    """Encode each hop of (n, count, 40, 6) by itself, as features over time (n, count, 5, 96).

    In two dimensions, of which one is never mixed: the converter and ONNX Runtime then make one
    step of a convolution, its normalisation and its rectifier.
    """
    x = _rectified(layers.Conv2D(32, (1, 5), strides=(1, 2), use_bias=False)(x))
    x = _rectified(layers.Conv2D(64, (1, 5), strides=(1, 2), use_bias=False)(x))
    return layers.Conv2D(96, (1, 3), activation="relu")(x)


def _rectified(x: Keras) -> Keras:
    """Normalise, then rectify: in this order the first becomes part of the convolution before."""
    return ops.relu(layers.BatchNormalization()(x))


def _pooled(x: Keras) -> Keras:
    """Join maximum, mean and standard deviation over time: (n, k, time, f) to (n, k, 3f)."""
    # The square root's slope is infinite at 0, where a feature is off throughout a hop.
    deviation = ops.sqrt(ops.var(x, axis=2) + 1e-6)
    return ops.concatenate([ops.max(x, axis=2), ops.mean(x, axis=2), deviation], axis=-1)


def _stirring(readings: Keras) -> Keras:
    """Return gravity, and how much and how fast readings stir, by axis.

    Of readings (n, 3, time), or (n, 3, count, time) by hop: (n, 9), or (n, 9, count).
    """
    steps = readings[..., 1:] - readings[..., :-1]
    gravity = ops.mean(readings, axis=-1) / STANDARD_GRAVITY
    speed = loudness(ops.mean(ops.square(steps), axis=-1))
    return ops.concatenate([gravity, loudness(ops.var(readings, axis=-1)), speed], axis=1)
