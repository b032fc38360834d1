"""The classic network: a bidirectional LSTM over the samples of a window."""

from typing import Any

from trainer.runtime import keras

layers = keras.layers


def classic(window: int, classes: int) -> Any:  # noqa: ANN401  Keras is untyped
    """Return the tutorial's network: windows (batch, time, 3), already scaled, to probabilities."""
    windows = keras.Input((window, 3), name="windows")
    x = layers.Bidirectional(layers.LSTM(128))(windows)  # (batch, 256)
    x = layers.Dense(128, activation="relu")(x)
    probabilities = layers.Dense(classes, activation="softmax", name="probabilities")(x)
    return keras.Model(windows, probabilities, name="classic")


def with_scaler(model: Any, center: list[float], scale: list[float]) -> Any:  # noqa: ANN401
    """Return `model` behind (x - center) / scale per axis, so that it takes raw m/s²."""
    windows = keras.Input(model.input_shape[1:], name="windows")
    offset = [-c / s for c, s in zip(center, scale, strict=True)]
    scaled = layers.Rescaling([1 / s for s in scale], offset)(windows)
    return keras.Model(windows, model(scaled), name=f"{model.name}_on_raw")
