"""The network of `pocket`: it reads a window hop by hop, and may say that it is none of the six.

Convolutions encode the movement of each hop, a bidirectional LSTM reads the hops in both
directions. Beside them stands what tells stillness from stillness, which convolutions of raw
readings see too faintly: where gravity points, and the logarithm of how much the readings stir.
"""

from typing import Any

from stream.config import Signal
from stream.wire.limits import STANDARD_GRAVITY
from trainer.runtime import keras

layers, ops = keras.layers, keras.ops
Keras = Any  # Keras is untyped

STILLEST = 1e-6  # (m/s²)², under the noise of any sensor: what a frozen one shows


def hop_bilstm(signal: Signal, activities: int) -> Keras:
    """Return the network: windows (batch, time, 3) in m/s² to logits (batch, activities + 1).

    The last logit stands for none of the activities.
    """
    windows = keras.Input((signal.window, 3), name="windows")
    count = signal.window // signal.hop
    hops = ops.reshape(windows, (-1, signal.hop, 3))  # (batch * count, hop, 3)
    x = _pooled(_convolutions(hops / STANDARD_GRAVITY))  # (batch * count, 288)
    x = ops.concatenate([x, _stirring(hops)], axis=-1)  # (batch * count, 297)
    x = ops.reshape(x, (-1, count, x.shape[-1]))
    x = layers.Bidirectional(layers.LSTM(64, return_sequences=True))(x)  # (batch, count, 128)
    moved = windows - windows[:, :1]  # without gravity, float32 has digits left for a small sway
    means = ops.mean(ops.reshape(moved, (-1, count, signal.hop, 3)), axis=2)
    sway = _log(ops.var(means, axis=1))  # slower than a hop
    x = [ops.max(x, axis=1), ops.mean(x, axis=1), _stirring(windows), sway]
    x = layers.Dense(64, activation="relu")(ops.concatenate(x, axis=-1))
    return keras.Model(windows, layers.Dense(activities + 1, name="logits")(x), name="hop_bilstm")


def answering(network: Keras, temperature: float) -> Keras:
    """Return windows to probabilities (batch, activities): `calibration.shared_out` as a graph."""
    windows = keras.Input(network.input_shape[1:], name="windows")
    shares = ops.softmax(network(windows) / temperature)
    activities = network.output_shape[-1] - 1
    probabilities = shares[:, :activities] + shares[:, activities:] / activities
    return keras.Model(windows, probabilities, name=network.name)


def _convolutions(x: Keras) -> Keras:
    """Encode hops (n, 40, 3) as features over time (n, 5, 96)."""
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
    speed = _log(ops.mean(ops.square(steps), axis=1))
    return ops.concatenate([gravity, _log(ops.var(readings, axis=1)), speed], axis=-1)


def _log(square: Keras) -> Keras:
    """Bring (m/s²)² of a sensor's noise up to a run into about -1 to 2."""
    return ops.log(square + STILLEST) / 4 + 1
