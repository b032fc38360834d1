"""The networks: the classic bidirectional LSTM, and the one that reads a window hop by hop."""

from typing import Any

from stream.config import Signal
from trainer.runtime import keras

layers, ops = keras.layers, keras.ops

GRAVITY_MS2 = 9.80665


def classic(window: int, classes: int) -> Any:  # noqa: ANN401  Keras is untyped
    """Return the tutorial's network: windows (batch, time, 3), already scaled, to probabilities."""
    windows = keras.Input((window, 3), name="windows")
    x = layers.Bidirectional(layers.LSTM(128))(windows)  # (batch, 256)
    x = layers.Dense(128, activation="relu")(x)
    probabilities = layers.Dense(classes, activation="softmax", name="probabilities")(x)
    return keras.Model(windows, probabilities, name="classic")


def hop_bilstm(signal: Signal, classes: int) -> Any:  # noqa: ANN401  Keras is untyped
    """Return the `pocket` network: windows (batch, time, 3) in m/s² to probabilities.

    Each hop goes through the same convolutions; a bidirectional LSTM then reads the hops.
    """
    windows = keras.Input((signal.window, 3), name="windows")
    hops = signal.window // signal.hop
    x = layers.Rescaling(1 / GRAVITY_MS2)(windows)
    x = ops.reshape(x, (-1, signal.hop, 3))  # (batch * hops, hop, 3)
    x = _pooled(_convolutions(x))  # (batch * hops, 288)
    x = ops.reshape(x, (-1, hops, x.shape[-1]))
    x = layers.Bidirectional(layers.LSTM(64, return_sequences=True))(x)  # (batch, hops, 128)
    x = ops.concatenate([ops.max(x, axis=1), ops.mean(x, axis=1)], axis=-1)
    x = layers.Dense(64, activation="relu")(x)
    probabilities = layers.Dense(classes, activation="softmax", name="probabilities")(x)
    return keras.Model(windows, probabilities, name="hop_bilstm")


def _convolutions(x: Any) -> Any:  # noqa: ANN401  Keras is untyped
    """Encode hops (n, 40, 3) as features over time (n, 5, 96)."""
    x = layers.Conv1D(32, 5, strides=2, activation="relu")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv1D(64, 5, strides=2, activation="relu")(x)
    x = layers.BatchNormalization()(x)
    return layers.Conv1D(96, 3, activation="relu")(x)


def _pooled(x: Any) -> Any:  # noqa: ANN401  Keras is untyped
    """Join maximum, mean and standard deviation over time: (n, time, f) to (n, 3f)."""
    # The square root's slope is infinite at 0, where a feature is off throughout a hop.
    deviation = ops.sqrt(ops.var(x, axis=1) + 1e-6)
    return ops.concatenate([ops.max(x, axis=1), ops.mean(x, axis=1), deviation], axis=-1)


def with_scaler(model: Any, center: list[float], scale: list[float]) -> Any:  # noqa: ANN401
    """Return `model` behind (x - center) / scale per axis, so that it takes raw m/s²."""
    windows = keras.Input(model.input_shape[1:], name="windows")
    offset = [-c / s for c, s in zip(center, scale, strict=True)]
    scaled = layers.Rescaling([1 / s for s in scale], offset)(windows)
    return keras.Model(windows, model(scaled), name=f"{model.name}_on_raw")
