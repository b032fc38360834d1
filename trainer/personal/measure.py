"""What adapting is worth to people whom a model has never seen, person by person.

It takes the models of an evaluation's folds as graphs, and trains none itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from trainer.evaluation.unknown import MIN_CONFIDENCE, UNSURE
from trainer.labels import NONE, NONE_OF_THE_SIX
from trainer.personal.fit import PULL, Lesson, fitted
from trainer.personal.graph import Graph
from trainer.windows import Examples

REACH = -(-Signal().window // Signal().hop)  # windows so far apart share no sample


@dataclass(frozen=True, slots=True)
class Shares:
    """Of one person's windows: right, lost to `Unknown`, and, of none of the six, told as unsure.

    `unsure` is None for people without windows of the latter kind.
    """

    right: float
    lost: float
    unsure: float | None


@dataclass(frozen=True, slots=True)
class Person:
    """One person, how many windows were scored, and the shares before and after."""

    dataset: str
    subject: str
    adapted: int
    scored: int
    before: Shares
    after: Shares


def measured(graph: Graph, theirs: Examples, each: int, pull: float = PULL) -> Person | None:
    """Adapt to `each` windows an activity of one person, and score the rest; None if too few.

    `theirs` are the person's windows of all words, in the order in which they were recorded. What
    overlaps with a window that was adapted to is not scored.
    """
    taken = chosen(theirs.labels, each)
    if len(np.unique(theirs.labels[taken])) < 2:
        return None
    graph.check(theirs.xyz[taken])
    features = graph.features(theirs.xyz)
    lesson = Lesson(features[taken], theirs.labels[taken])
    adapted = fitted(graph.layer, lesson, pull, bias=graph.has_bias)
    rest = apart(len(theirs), taken)
    if not (theirs.labels[rest] != NONE).any():
        return None
    scored, others = theirs.where(rest), np.isin(theirs.names[rest], list(NONE_OF_THE_SIX))
    before, after = (
        shares(layer.probabilities(features[rest]), scored.labels, others)
        for layer in (graph.layer, adapted)
    )
    count = int((scored.labels != NONE).sum())
    return Person(
        str(theirs.datasets[0]), str(theirs.subjects[0]), len(taken), count, before, after
    )


def chosen(labels: NDArray[np.int64], each: int) -> NDArray[np.int64]:
    """Return the places of `each` windows an activity, as a person would record them.

    Half of them are an activity's first windows, the others those that follow its middle: two
    occasions, each without a break. Activities with less than twice as many are left alone.
    """
    found = list[NDArray[np.int64]]()
    for activity in np.unique(labels[labels != NONE]):
        places = np.flatnonzero(labels == activity)
        if len(places) >= 2 * each:
            middle = len(places) // 2
            found += [places[: each - each // 2], places[middle : middle + each // 2]]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def apart(count: int, taken: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of `count` successive windows share no sample with those that were taken."""
    distances = np.abs(np.arange(count)[:, None] - taken)
    far: NDArray[np.bool_] = distances.min(axis=1) >= REACH
    return far


def shares(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], others: NDArray[np.bool_]
) -> Shares:
    """Return the shares of windows (n,) with a label, and of those that are none of the six."""
    known, best = labels != NONE, probabilities.max(axis=1)
    return Shares(
        right=float((probabilities.argmax(axis=1) == labels)[known].mean()),
        lost=float((best[known] < MIN_CONFIDENCE).mean()),
        unsure=float((best[others] < UNSURE).mean()) if others.any() else None,
    )


def everyone(
    folds: Iterable[tuple[Graph, Examples]], each: int, pull: float = PULL
) -> Iterator[Person]:
    """Yield everybody's figures; a fold is a graph and the windows of people unknown to it."""
    for graph, unseen in folds:
        for person in np.unique(unseen.persons):
            found = measured(graph, unseen.where(unseen.persons == person), each, pull)
            if found is not None:
                yield found
