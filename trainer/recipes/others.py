"""Made-up windows of a phone whose owner does none of the six: shaken, handled, driven, left alone.

Recordings hold few such movements; these tell a network what else there is. Pure numpy; everything
draws from the Generator that is passed in.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from stream.wire.limits import STANDARD_GRAVITY
from trainer.recipes.augment import Windows, about

Readings = NDArray[np.float64]  # (batch, time, 3), m/s²
GRID_HZ = Signal().grid_hz


def others(batch: int, length: int, rng: np.random.Generator) -> Windows:
    """Return windows (batch, length, 3) in m/s², each of a kind drawn at random."""
    kinds = rng.integers(0, len(KINDS), batch)
    windows: Windows = np.empty((batch, length, 3), np.float32)
    for kind, make in enumerate(KINDS.values()):
        windows[kinds == kind] = make(int((kinds == kind).sum()), length, rng)
    return windows


def noise(batch: int, length: int, rng: np.random.Generator) -> Readings:
    """White noise of 1 to 10 m/s², around gravity or around nothing: a broken sensor."""
    center = _gravity(batch, rng) * rng.integers(0, 2, (batch, 1, 1))
    return center + _white(batch, length, rng) * rng.uniform(1.0, 10.0, (batch, 1, 1))


def shaken(batch: int, length: int, rng: np.random.Generator) -> Readings:
    """Shake by hand, 1 to 7 Hz and 4 to 30 m/s² along one line, never quite evenly."""
    uneven = np.cumsum(rng.normal(0.0, 0.1, (batch, length)), axis=1)
    swing = np.sin(_phase(batch, length, rng, 1.0, 7.0) + uneven)[:, :, None]
    swing = swing * rng.uniform(4.0, 30.0, (batch, 1, 1)) * _directions(batch, rng)
    hand = _slow(batch, length, rng, 0.1) * rng.uniform(0.5, 3.0, (batch, 1, 1))
    return _gravity(batch, rng) + swing + hand


def handled(batch: int, length: int, rng: np.random.Generator) -> Readings:
    """Turn about in a hand, slowly or quickly, and move with it."""
    turn = _slow(batch, length, rng, 1.0) * rng.uniform(0.5, 3.0, (batch, 1, 1))  # radians
    angle = np.linalg.norm(turn, axis=2).ravel() + 1e-9
    turns = about(turn.reshape(-1, 3) / angle[:, None], angle).reshape(batch, length, 3, 3)
    seen: Readings = np.einsum("btij,boj->bti", turns, _gravity(batch, rng))
    return seen + _slow(batch, length, rng, 0.15) * rng.uniform(0.0, 2.0, (batch, 1, 1))


def driven(batch: int, length: int, rng: np.random.Generator) -> Readings:
    """Drive in a car's holder or seat: slow forces, a rough road, and the engine's hum."""
    road = _slow(batch, length, rng, 0.75) * rng.uniform(0.2, 1.0, (batch, 1, 1))
    road += _white(batch, length, rng) * rng.uniform(0.15, 0.6, (batch, 1, 1))
    hum = np.sin(_phase(batch, length, rng, 5.0, 9.5))[:, :, None] * _directions(batch, rng)
    return _gravity(batch, rng) + road + hum * rng.uniform(0.1, 0.6, (batch, 1, 1))


def on_a_table(batch: int, length: int, rng: np.random.Generator) -> Readings:
    """Lie on a table, flat, either way up: a good sensor's noise, stiller than anybody sits."""
    up = np.zeros((batch, 1, 3))
    up[:, 0, 2] = STANDARD_GRAVITY * (2 * rng.integers(0, 2, batch) - 1)
    uneven = rng.normal(0.0, 0.15, (batch, 1, 3))  # about a degree
    return up + uneven + _white(batch, length, rng) * rng.uniform(0.002, 0.01, (batch, 1, 1))


def frozen(batch: int, length: int, rng: np.random.Generator) -> Readings:
    """Repeat one reading: a sensor that stopped, not always at rest."""
    reading = _gravity(batch, rng) + rng.normal(0.0, 1.0, (batch, 1, 3))
    return np.repeat(reading * rng.integers(0, 5, (batch, 1, 1)).clip(max=1), length, axis=1)


KINDS: dict[str, Callable[[int, int, np.random.Generator], Readings]] = {
    "noise": noise,
    "shaken": shaken,
    "handled": handled,
    "driven": driven,
    "on a table": on_a_table,
    "frozen": frozen,
}


def _directions(batch: int, rng: np.random.Generator) -> Readings:
    """Return unit vectors (batch, 1, 3), every direction alike."""
    vectors = rng.normal(size=(batch, 1, 3))
    directions: Readings = vectors / np.linalg.norm(vectors, axis=2, keepdims=True)
    return directions


def _gravity(batch: int, rng: np.random.Generator) -> Readings:
    return STANDARD_GRAVITY * _directions(batch, rng)


def _white(batch: int, length: int, rng: np.random.Generator) -> Readings:
    return rng.normal(size=(batch, length, 3))


def _slow(batch: int, length: int, rng: np.random.Generator, time_s: float) -> Readings:
    """Return noise of unit variance that forgets itself in about `time_s` seconds."""
    lags = np.arange(round(5 * time_s * GRID_HZ) + 1)
    kernel = np.exp(-lags / (time_s * GRID_HZ))
    kernel /= np.linalg.norm(kernel)
    white = rng.normal(size=(batch, length + len(lags) - 1, 3))
    spans = np.lib.stride_tricks.sliding_window_view(white, len(lags), axis=1)
    slow: Readings = spans @ kernel
    return slow


def _phase(
    batch: int, length: int, rng: np.random.Generator, low_hz: float, high_hz: float
) -> NDArray[np.float64]:
    """Return phases (batch, time) in radians of tones between two frequencies."""
    hz = rng.uniform(low_hz, high_hz, (batch, 1))
    return 2 * np.pi * (hz * np.arange(length) / GRID_HZ + rng.random((batch, 1)))
