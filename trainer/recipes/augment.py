"""Random changes that a window may undergo without its activity changing. Pure numpy.

Everything draws from the Generator that is passed in, so a seed fixes every batch.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trainer.recipes.coupling import coupled

Windows = NDArray[np.float32]  # (batch, time, 3), m/s²
Turns = NDArray[np.float64]  # (batch, 3, 3)
Change = Callable[[Windows, np.random.Generator], Windows]
MakeTurns = Callable[[int, np.random.Generator], Turns]

TILT_DEG = 8.0  # standard deviation; more would hide what tells sitting from standing
SCALE = 0.1
WARP = 0.15
SLOW_CHANCE = 0.3
SLOWEST = 2.5  # grid intervals between samples: 8 Hz
NOISE_MS2 = (0.002, 0.1)  # standard deviation, of good and bad sensors
ROUNDING_MS2, ROUNDED_CHANCE = 0.1, 0.2  # browsers round, so that nobody is recognised by it


def augment(windows: Windows, rng: np.random.Generator) -> Windows:
    """Warp, couple, thin, turn, scale, roughen and round windows (batch, time, 3) in m/s²."""
    batch = len(windows)
    turns = tilts(batch, rng) @ half_turns(batch, rng) @ quarter_turns(batch, rng)
    turns *= rng.uniform(1 - SCALE, 1 + SCALE, (batch, 1, 1))
    felt = slow_down(coupled(warp(windows, rng), rng), rng)
    turned = felt @ turns.transpose(0, 2, 1)
    return rounded(np.asarray(turned + noise(windows.shape, rng), np.float32), rng)


def noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return each window's noise, from a good sensor's to a bad one's.

    Mostly little: standing sways by no more than sitting phones of bad make are noisy, and more
    noise would hide what tells one from the other.
    """
    low, high = np.log(NOISE_MS2)
    deviation = np.exp(rng.uniform(low, high, (shape[0], 1, 1)))
    white: NDArray[np.float64] = deviation * rng.normal(size=shape)
    return white


def rounded(windows: Windows, rng: np.random.Generator) -> Windows:
    """Round one window in five to 0.1 m/s²."""
    chosen = rng.random((len(windows), 1, 1)) < ROUNDED_CHANCE
    coarse = np.round(windows / ROUNDING_MS2) * ROUNDING_MS2
    return np.where(chosen, coarse, windows).astype(np.float32)


def quarter_turns(batch: int, rng: np.random.Generator) -> Turns:
    """Turn by 0, 90, 180 or 270 degrees about z, the screen's normal: a phone in any slot."""
    angle = np.pi / 2 * rng.integers(0, 4, batch).astype(np.float64)
    return about(np.tile([0.0, 0.0, 1.0], (batch, 1)), angle)


def half_turns(batch: int, rng: np.random.Generator) -> Turns:
    """Turn by 180 degrees about each of x, y and z, each with a chance of one half."""
    turned = rng.integers(0, 2, (batch, 3)).astype(bool)
    # A half-turn about an axis flips the signs of the two others.
    signs = np.where(np.roll(turned, 1, axis=1) ^ np.roll(turned, 2, axis=1), -1.0, 1.0)
    return signs[:, :, None] * np.eye(3)


def tilts(batch: int, rng: np.random.Generator) -> Turns:
    """Tilt about a random axis by a normally distributed angle: a loose pocket."""
    axis = rng.normal(size=(batch, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    return about(axis, rng.normal(0.0, np.deg2rad(TILT_DEG), batch))


def about(axis: NDArray[np.float64], angle: NDArray[np.float64]) -> Turns:
    """Return rotations about unit axes (batch, 3) by radians (batch,), by Rodrigues' formula."""
    x, y, z = axis.T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    sine, cosine = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    turns: Turns = np.eye(3) + sine * cross + (1 - cosine) * (cross @ cross)
    return turns


def warp(windows: Windows, rng: np.random.Generator) -> Windows:
    """Play each window up to 15 % slower or faster, about its middle.

    A faster one would run out at both ends: there it goes on mirrored.
    """
    batch, length, _ = windows.shape
    middle = (length - 1) / 2
    speed = rng.uniform(1 - WARP, 1 + WARP, (batch, 1))
    position = np.abs(middle + speed * (np.arange(length) - middle))
    return at(windows, (length - 1) - np.abs((length - 1) - position))


def slow_down(windows: Windows, rng: np.random.Generator) -> Windows:
    """Make some windows look as if recorded at a lower rate, straight lines in between.

    That is what the resampler makes of a slow phone.
    """
    batch, length, _ = windows.shape
    slow = rng.random((batch, 1)) < SLOW_CHANCE
    interval = np.where(slow, rng.uniform(1.0, SLOWEST, (batch, 1)), 1.0)
    phase = np.where(slow, rng.random((batch, 1)), 0.0)
    time = np.arange(length)
    before = np.floor((time - phase) / interval) * interval + phase
    left, right = (
        at(windows, np.clip(knot, 0, length - 1)) for knot in (before, before + interval)
    )
    part = ((time - before) / interval)[:, :, None].astype(np.float32)
    slowed: Windows = left * (1 - part) + right * part
    return slowed


def at(windows: Windows, position: NDArray[np.float64]) -> Windows:
    """Return windows at positions (batch, time) between their samples, on straight lines."""
    left = np.minimum(position.astype(np.int64), windows.shape[1] - 2)
    part = (position - left)[:, :, None].astype(np.float32)
    rows = np.arange(len(windows))[:, None]
    between: Windows = windows[rows, left] * (1 - part) + windows[rows, left + 1] * part
    return between
