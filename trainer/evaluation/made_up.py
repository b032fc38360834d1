"""Windows that nobody recorded and no recipe was trained on: what a phone meets besides people.

They share no code with those that recipes make up (`recipes.others`), and follow other rules, so
that what a network has learnt of those is no help by itself. The same windows every time.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation, Slerp

from stream.config import Signal
from stream.wire.limits import STANDARD_GRAVITY
from trainer.windows import Examples

EACH, SEED = 200, 20261126  # windows of each kind
NAME = "made-up"  # in place of a data set
LENGTH, GRID_HZ = Signal().window, Signal().grid_hz
SECONDS = np.arange(LENGTH) / GRID_HZ

Draw = np.random.Generator
Window = NDArray[np.float64]  # (time, 3) m/s²


@cache
def examples() -> Examples:
    """Return all kinds' windows, each with its kind as its word; they are made once."""
    names = [kind for kind in KINDS for _ in range(EACH)]
    draws = (np.random.default_rng([SEED, *kind.encode()]) for kind in KINDS)
    xyz = [make(rng) for make, rng in zip(KINDS.values(), draws, strict=True) for _ in range(EACH)]
    count = len(names)
    return Examples(
        np.array(names),
        np.full(count, NAME),
        np.full(count, "nobody"),
        np.stack(xyz).astype(np.float32),
    )


def checksum() -> str:
    """Return what changes whenever the windows do: the SHA-256 of this file."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


def shaken(rng: Draw) -> Window:
    """Shake by hand at 1 to 6 Hz; how often, how far and which way drift."""
    hz = rng.uniform(1.0, 6.0) * np.exp(0.1 * _drift(rng, 1.5, 1))
    size = rng.uniform(4.0, 25.0) * np.exp(0.25 * _drift(rng, 1.5, 1))
    swing = size * np.sin(2 * np.pi * np.cumsum(hz, axis=0) / GRID_HZ + rng.uniform(0, 2 * np.pi))
    along = _unit(rng) + 0.3 * _drift(rng, 2.0, 3)
    held = Rotation.random(rng=rng) * Rotation.from_rotvec(0.3 * _drift(rng, 2.0, 3))
    return _gravity(held) + swing * along + _sensor(rng)


def on_a_table(rng: Draw) -> Window:
    """Lie flat, either way up, with a knock on the table now and then."""
    tilt = Rotation.from_rotvec(np.deg2rad(rng.normal(0, 1.0, 3)))
    up = Rotation.from_euler("x", 180 * int(rng.integers(2)), degrees=True)
    return _gravity(_held(tilt * up)) + _knocks(rng) + _sensor(rng)


def leaning(rng: Draw) -> Window:
    """Lean on something by 20 to 85 degrees, on either edge, and keep quite still."""
    turn = Rotation.from_euler("z", 90 * int(rng.integers(4)) + rng.normal(0, 5), degrees=True)
    lean = Rotation.from_euler("x", rng.uniform(20, 85), degrees=True)
    return _gravity(_held(lean * turn)) + _sensor(rng)


def in_a_car(rng: Draw) -> Window:
    """Ride along, in any position: the engine, the road, and turning or braking."""
    hum = rng.uniform(0.03, 0.4) * np.sin(2 * np.pi * rng.uniform(0.5, 9.5) * SECONDS)
    body = rng.uniform(0.1, 0.5) * _drift(rng, 0.1, 3) * [0.5, 0.5, 1.5]  # bounces at 1 to 2 Hz
    rough = rng.uniform(0.05, 0.4) * rng.normal(size=(LENGTH, 3))
    turns = np.zeros((LENGTH, 3))
    turns[:, :2] = rng.uniform(0.3, 2.5) * _drift(rng, 1.2, 2)
    seat = Rotation.random(rng=rng)
    forces = hum[:, None] * _unit(rng) + body + rough + turns + [0, 0, STANDARD_GRAVITY]
    return seat.apply(forces) + _sensor(rng)


def noise(rng: Draw) -> Window:
    """Nothing but white noise, of 0.5 to 15 m/s², about any reading."""
    center = _unit(rng) * rng.uniform(0, 12)
    white: Window = center + rng.uniform(0.5, 15) * rng.normal(size=(LENGTH, 3))
    return white


def frozen(rng: Draw) -> Window:
    """Repeat one reading, which one time in four is zero."""
    size = 0.0 if rng.random() < 0.25 else rng.uniform(5, 15)
    return np.tile(_unit(rng) * size, (LENGTH, 1))


def handled(rng: Draw) -> Window:
    """Be taken up and turned about, from one position to another every 0.5 to 3 s."""
    knots = np.cumsum(np.r_[0.0, rng.uniform(0.5, 3.0, 30)])
    held = Slerp(knots, Rotation.random(len(knots), rng=rng))
    place = np.searchsorted(knots, SECONDS, side="right") - 1
    part = (SECONDS - knots[place]) / np.diff(knots)[place]
    eased = knots[place] + np.diff(knots)[place] * part**2 * (3 - 2 * part)  # slow at both ends
    moved = rng.uniform(0.3, 2.0) * _drift(rng, 0.2, 3) * np.abs(_drift(rng, 0.5, 1))
    return _gravity(held(eased)) + moved + _sensor(rng)


def dropped(rng: Draw) -> Window:
    """Be held, fall for a quarter to half a second, hit the floor, tumble, and lie flat."""
    falls = rng.uniform(2.0, 7.0)
    hits = falls + rng.uniform(0.25, 0.5)
    rests = hits + rng.uniform(0.3, 1.0)
    hand = Rotation.random(rng=rng) * Rotation.from_rotvec(0.1 * _drift(rng, 1.0, 3))
    window = _gravity(hand) + 0.2 * _drift(rng, 0.3, 3)
    window[_since(falls)] = 0.0
    after = _since(hits)
    blow = rng.uniform(20, 80) * np.exp(-(SECONDS[after] - hits) / 0.08)
    tumble = Rotation.from_rotvec(rng.normal(0, 6, 3) * np.minimum(SECONDS, rests)[after, None])
    window[after] = _gravity(tumble) + blow[:, None] * rng.normal(size=(int(after.sum()), 3))
    window[_since(rests)] = [0, 0, STANDARD_GRAVITY * rng.choice([-1, 1])]
    return window + _sensor(rng)


KINDS: dict[str, Callable[[Draw], Window]] = {
    "shaken": shaken,
    "on a table": on_a_table,
    "leaning": leaning,
    "in a car": in_a_car,
    "noise": noise,
    "frozen": frozen,
    "handled": handled,
    "dropped": dropped,
}


def _drift(rng: Draw, time_s: float, columns: int) -> Window:
    """Return smooth noise (time, columns) of about unit variance, a Gaussian's width of time_s."""
    width = time_s * GRID_HZ
    white = rng.normal(size=(LENGTH + round(8 * width), columns))
    smooth = gaussian_filter1d(white, width, axis=0)[round(4 * width) :][:LENGTH]
    drift: Window = smooth * np.sqrt(2 * width * np.sqrt(np.pi))
    return drift


def _since(t: float) -> NDArray[np.bool_]:
    """Return which samples (time,) are taken at `t` seconds or later."""
    return np.greater_equal(SECONDS, t)


def _unit(rng: Draw) -> NDArray[np.float64]:
    """Return any direction (3,), all alike."""
    return Rotation.random(rng=rng).apply([0.0, 0.0, 1.0])


def _held(still: Rotation) -> Rotation:
    """Return one position for the whole window."""
    return Rotation.from_quat(np.tile(still.as_quat(), (LENGTH, 1)))


def _gravity(held: Rotation) -> Window:
    """Return what a phone reads of gravity in each of its positions (n,)."""
    seen: Window = held.apply([0.0, 0.0, STANDARD_GRAVITY])
    return seen


def _sensor(rng: Draw) -> Window:
    """Return a sensor's own faults: an offset, and noise of 0.003 to 0.05 m/s²."""
    deviation = np.exp(rng.uniform(np.log(0.003), np.log(0.05)))
    faults: Window = rng.normal(0, 0.1, 3) + deviation * rng.normal(size=(LENGTH, 3))
    return faults


def _knocks(rng: Draw) -> Window:
    """Return up to two short knocks from below, dying away within a fifth of a second."""
    knocks = np.zeros((LENGTH, 3))
    for at in rng.uniform(0, LENGTH / GRID_HZ, int(rng.integers(3))):
        after = _since(at)
        fades = np.exp(-(SECONDS[after] - at) / 0.05)
        knocks[after, 2] += rng.uniform(0.2, 3.0) * fades * rng.choice([-1, 1], int(after.sum()))
    return knocks
