"""Which of one person's windows a model is adapted to, and on which it is then measured."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from trainer.labels import NONE

REACH = -(-Signal().window // Signal().hop)  # windows so far apart share no sample


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """Places (k,) of the windows to adapt to, and masks (n,) of those that are scored.

    `same` are those of the scored ones that come from a recording that was adapted to.
    """

    taken: NDArray[np.int64]
    scored: NDArray[np.bool_]
    same: NDArray[np.bool_]


def divide(labels: NDArray[np.int64], recordings: NDArray[np.int64], each: int) -> Division:
    """Take `each` windows an activity of one person, whose windows (n,) come in order.

    Other recordings than those that were taken from are scored. Of activities that have none, it
    is what shares no sample with a window that was taken.
    """
    taken = chosen(labels, recordings, each)
    away = ~np.isin(recordings, recordings[taken])
    alone = (labels != NONE) & ~np.isin(labels, labels[away])
    same = alone & ~away & apart(recordings, taken)
    return Division(taken, away | same, same)


def enough(labels: NDArray[np.int64], recordings: NDArray[np.int64], each: int) -> bool:
    """Say whether a person has two activities to adapt to, and one to be scored."""
    division = divide(labels, recordings, each)
    activities = np.unique(labels[division.taken])
    return len(activities) > 1 and bool((labels[division.scored] != NONE).any())


def chosen(
    labels: NDArray[np.int64], recordings: NDArray[np.int64], each: int
) -> NDArray[np.int64]:
    """Return the places of `each` windows an activity, as a person would record them.

    They are from the first recording that has so many, where there is another one of the activity.
    Otherwise it takes twice as many windows, and activities with less are left alone. Half of them
    are the first ones, the others those that follow the middle.
    """
    found = list[NDArray[np.int64]]()
    for activity in np.unique(labels[labels != NONE]):
        places = np.flatnonzero(labels == activity)
        there, counts = np.unique(recordings[places], return_counts=True)
        if len(there) > 1 and (counts >= each).any():
            places = places[recordings[places] == there[counts >= each][0]]
        elif len(places) < 2 * each:
            continue
        middle = -(-len(places) // 2)
        found += [places[: each - each // 2], places[middle : middle + each // 2]]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def apart(recordings: NDArray[np.int64], taken: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which windows (n,) share no sample with those taken, successive in a recording."""
    distances = np.abs(np.arange(len(recordings))[:, None] - taken)
    distances[recordings[:, None] != recordings[taken]] = REACH
    far: NDArray[np.bool_] = distances.min(axis=1, initial=REACH) >= REACH
    return far
