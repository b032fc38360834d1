"""Balanced, seeded batches of a training: real windows, changed at random, and made-up others."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trainer.augment import Windows, augment
from trainer.labels import DISGUISES, NONE_OF_THE_SIX
from trainer.others import others
from trainer.recordings import ACTIVITIES
from trainer.windows import Described, Examples

Targets = NDArray[np.float32]  # (batch, 7): 1 for what a window may be; last, none of the six

STILL = [ACTIVITIES.index(name) for name in ("Sitting", "Standing")]
OTHERS = 32  # a made-up window for so many real ones
DISGUISED = 0.25  # how often what is said to be in disguise is drawn, compared with the six


def targets(part: Described) -> Targets:
    """Return what each window may be, (n, 7): of the six, or none of them; all 0 if unknown.

    What is one of the six in disguise was done sitting or standing; which is not on record.
    """
    may_be = np.column_stack([part.allowed, np.isin(part.names, sorted(NONE_OF_THE_SIX))])
    disguised = np.isin(part.names, sorted(DISGUISES))
    for still in STILL:
        may_be[disguised, still] = True
    return may_be.astype(np.float32)


def chances(names: NDArray[np.str_]) -> NDArray[np.float64]:
    """Return each window's chance (n,), so that words come by the root of their frequency."""
    words, place, counts = np.unique(names, return_inverse=True, return_counts=True)
    share = np.where(np.isin(words, sorted(DISGUISES)), DISGUISED, 1.0)
    weight = (share / np.sqrt(counts))[place]
    return np.asarray(weight / weight.sum(), np.float64)


def batches(part: Examples, size: int, seed: int) -> Iterator[tuple[Windows, Targets]]:
    """Yield batches without end: windows (batch, time, 3) in m/s² and their targets."""
    rng = np.random.default_rng(seed)
    may_be = targets(part)
    usable = np.flatnonzero(may_be.any(axis=1))
    chance = chances(part.names[usable])
    made_up = np.zeros((size // OTHERS, may_be.shape[1]), np.float32)
    made_up[:, -1] = 1.0
    while True:
        drawn = usable[rng.choice(len(usable), size, p=chance)]
        real = augment(part.xyz[drawn], rng)
        windows = np.concatenate([real, others(len(made_up), real.shape[1], rng)])
        yield windows, np.concatenate([may_be[drawn], made_up])
