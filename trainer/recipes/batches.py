"""Balanced, seeded batches of a training: real windows, changed at random, and made-up others."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trainer.labels import NONE_OF_THE_SIX
from trainer.recipes.augment import Windows, augment
from trainer.recipes.others import others
from trainer.windows import Described, Examples

Targets = NDArray[np.float32]  # (batch, 7): 1 for what a window may be; last, none of the six

OTHERS = 32  # a made-up window for so many real ones


def targets(part: Described) -> Targets:
    """Return what each window may be, (n, 7): of the six, or none of them.

    A row of zeros is of a word that is one of the six in disguise: nobody noted which.
    """
    none = np.isin(part.names, sorted(NONE_OF_THE_SIX))
    return np.column_stack([part.allowed, none]).astype(np.float32)


def chances(part: Described) -> NDArray[np.float64]:
    """Return each window's chance (n,), so that no class and no data set drowns the others.

    The words of each data set come by the root of their frequency.
    """
    both = np.strings.add(np.strings.add(part.datasets, "/"), part.names)
    _, place, counts = np.unique(both, return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(counts[place])
    return np.asarray(weight / weight.sum(), np.float64)


def batches(part: Examples, size: int, seed: int) -> Iterator[tuple[Windows, Targets]]:
    """Yield batches without end: windows (batch, time, 3) in m/s² and their targets."""
    rng = np.random.default_rng(seed)
    may_be = targets(part)
    usable = np.flatnonzero(may_be.any(axis=1))
    chance = chances(part.where(usable))
    made_up = np.zeros((size // OTHERS, may_be.shape[1]), np.float32)
    made_up[:, -1] = 1.0
    while True:
        drawn = usable[rng.choice(len(usable), size, p=chance)]
        real = augment(part.xyz[drawn], rng)
        windows = np.concatenate([real, others(len(made_up), real.shape[1], rng)])
        yield windows, np.concatenate([may_be[drawn], made_up])
