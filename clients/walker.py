"""A synthetic person with a phone in the front pocket, for demonstrations and load.

A toy: steps are a few harmonics of the stride, as one would see them in a recording, with some
noise. It shows that a service works, and says nothing about how well a model does on people.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clients.track import Track

Vectors = NDArray[np.float64]
GRAVITY = 9.81  # m/s²


class Gait(NamedTuple):
    """How one activity shakes the phone."""

    stride_hz: float  # two steps
    harmonics: tuple[tuple[float, float, float, float, float, float], ...]
    # ^ for each multiple of the stride: amplitudes x, y, z in m/s², then phases x, y, z
    noise: float  # m/s², standard deviation
    down: tuple[float, float, float]  # where gravity's reaction points
    sway: float  # m/s², slow movement


UPRIGHT = (0.05, -0.99, 0.1)  # upside down in the front pocket of someone who stands
LYING = (-0.50, -0.42, 0.76)  # the same pocket on a chair
WALK = (
    (0.4, 0.6, 1.7, 0.4, -1.0, -0.7),
    (1.1, 5.2, 1.4, 2.8, 0.8, -0.9),
    (1.3, 2.4, 0.9, -2.0, 1.1, -2.6),
    (1.3, 1.3, 1.5, 0.6, 0.6, -2.5),
    (1.0, 1.2, 0.3, 1.8, -0.7, 3.0),
    (1.0, 0.5, 0.4, -2.1, -2.4, 1.4),
    (0.4, 0.7, 0.2, -2.6, 1.1, 2.1),
    (0.3, 1.0, 0.4, 0.8, -0.1, 1.0),
)
JOG = (
    (0.6, 1.2, 0.9, -2.9, 1.1, 2.3),
    (2.8, 12.3, 3.9, 3.1, -2.7, 0.0),
    (2.5, 4.8, 1.6, -2.8, 0.2, 2.8),
    (1.8, 2.7, 1.5, -3.0, -0.1, -0.1),
    (1.8, 3.4, 0.3, 2.9, 1.8, -1.6),
    (0.4, 0.4, 1.3, 0.9, -2.8, 1.2),
    (0.6, 4.2, 0.8, -1.5, 2.7, 0.7),
    (0.6, 2.4, 0.8, 1.8, -3.1, 2.6),
)
GAITS = {
    "Walking": Gait(0.95, WALK, 1.2, UPRIGHT, 0.5),
    "Jogging": Gait(1.38, JOG, 2.5, UPRIGHT, 1.0),
    "Standing": Gait(0.0, (), 0.15, UPRIGHT, 0.3),
    "Sitting": Gait(0.0, (), 0.03, LYING, 0.03),
}


def walk(
    name: str, script: Sequence[tuple[str, float]], *, rate_hz: float = 20.0, seed: int = 0
) -> Track:
    """Play `script`, pairs of activity and seconds; the same seed gives the same samples.

    Each seed is another person: tempo, strength and the way the phone lies differ. Raises
    KeyError for an activity that is not in GAITS.
    """
    rng = np.random.default_rng(seed)
    tempo, strength = rng.normal(1, 0.03), rng.normal(1, 0.05)
    tilt = rng.normal(0, 0.05, 3)
    labels = np.repeat(
        np.array([activity for activity, _ in script]),
        [round(seconds * rate_hz) for _, seconds in script],
    )
    t = np.arange(len(labels)) / rate_hz
    xyz = np.zeros((len(t), 3))
    for activity in dict.fromkeys(labels.tolist()):
        chosen = labels == activity
        gait = GAITS[activity]
        steps = strength * _steps(gait, t[chosen] * tempo, rng)
        still = _still(gait, t[chosen], tilt, rng)
        xyz[chosen] = still + steps
    return Track(name, rate_hz, t, xyz.astype(np.float32), labels)


def _steps(gait: Gait, t: NDArray[np.float64], rng: np.random.Generator) -> Vectors:
    """Return (n, 3): the harmonics of a stride whose length varies a little."""
    wander = 0.15 * np.sin(2 * np.pi * 0.11 * t + rng.uniform(0, 6)) / (2 * np.pi)
    phase = 2 * np.pi * gait.stride_hz * (t + wander)
    total = np.zeros((len(t), 3))
    for number, harmonic in enumerate(gait.harmonics, start=1):
        amplitude, offset = np.array(harmonic[:3]), np.array(harmonic[3:])
        total += amplitude * np.cos(number * phase[:, None] + offset)
    return total


def _still(
    gait: Gait, t: NDArray[np.float64], tilt: NDArray[np.float64], rng: np.random.Generator
) -> Vectors:
    """Return (n, 3): gravity as the phone lies, slow sway, and noise."""
    down = np.array(gait.down) + tilt
    down *= GRAVITY / np.linalg.norm(down)
    beat = np.array([0.23, 0.31, 0.19])  # Hz
    sway = gait.sway * np.sin(2 * np.pi * beat * t[:, None] + rng.uniform(0, 6, 3))
    total: Vectors = down + sway + rng.normal(0, gait.noise, (len(t), 3))
    return total
