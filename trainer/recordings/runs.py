"""Cuts rows of one file into contiguous runs, by the timestamps where they make sense."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MAX_GAP_S = 1.0
SLOWEST_HZ, FASTEST_HZ = 5.0, 400.0


def sane(t: NDArray[np.float64]) -> bool:
    """Say whether seconds `t` (n,) look like a phone's: a median step of 1/400 to 1/5 s.

    Single jumps are no objection, since they only end a run; times in a wrong unit, mostly
    repeated or mostly backward are.
    """
    if len(t) < 2:
        return False
    step = float(np.median(np.diff(t)))
    return 1 / FASTEST_HZ <= step <= 1 / SLOWEST_HZ


def blocks(*keys: NDArray[np.generic]) -> Iterator[slice]:
    """Yield the spans of rows over which every key array (n,) stays the same."""
    changed = np.zeros(max(len(keys[0]) - 1, 0), dtype=bool)
    for key in keys:
        changed |= key[1:] != key[:-1]
    yield from _spans(changed, len(keys[0]))


def contiguous(t: NDArray[np.float64]) -> Iterator[slice]:
    """Yield the spans of seconds `t` (n,) without a step back or a gap over one second."""
    step = np.diff(t)
    yield from _spans((step < 0) | (step > MAX_GAP_S), len(t))


def _spans(cut: NDArray[np.bool_], length: int) -> Iterator[slice]:
    edges = [0, *(np.flatnonzero(cut) + 1).tolist(), length]
    for start, end in pairwise(edges):
        if end > start:
            yield slice(start, end)
