"""What adapting is worth to people whom a model has never seen, person by person.

It takes the models of an evaluation's folds as graphs, and trains none itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.evaluation.unknown import is_unknown, is_unsure
from trainer.labels import NONE, NONE_OF_THE_SIX
from trainer.personal.division import divide, enough
from trainer.personal.fit import PULL, Lesson, fitted
from trainer.personal.graph import Graph
from trainer.personal.material import Recorded


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
    """One person, how many windows were scored, and the shares before and after.

    `same_recording` is how many of them come from a recording that was adapted to.
    """

    dataset: str
    subject: str
    adapted: int
    scored: int
    same_recording: int
    before: Shares
    after: Shares


def measured(graph: Graph, theirs: Recorded, each: int, pull: float = PULL) -> Person | None:
    """Adapt to `each` windows an activity of one person, and score others; None if too few.

    `theirs` are the person's windows of all words, in the order in which they were recorded.
    """
    if not enough(theirs.labels, theirs.recordings, each):
        return None
    division = divide(theirs.labels, theirs.recordings, each)
    taken, scored = theirs.where(division.taken), theirs.where(division.scored)
    graph.check(taken.xyz)
    lesson = Lesson(graph.features(taken.xyz), taken.labels)
    adapted = fitted(graph.layer, lesson, pull, bias=graph.has_bias)
    features = graph.features(scored.xyz)
    others = np.isin(scored.names, list(NONE_OF_THE_SIX))
    before, after = (
        shares(layer.probabilities(features), scored.labels, others)
        for layer in (graph.layer, adapted)
    )
    return Person(
        dataset=str(theirs.datasets[0]),
        subject=str(theirs.subjects[0]),
        adapted=len(taken),
        scored=int((scored.labels != NONE).sum()),
        same_recording=int(division.same.sum()),
        before=before,
        after=after,
    )


def shares(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], others: NDArray[np.bool_]
) -> Shares:
    """Return the shares of windows (n,) with a label, and of those that are none of the six."""
    known, told = labels != NONE, probabilities.astype(np.float32)
    return Shares(
        right=float((probabilities.argmax(axis=1) == labels)[known].mean()),
        lost=float(is_unknown(told[known]).mean()),
        unsure=float(is_unsure(told[others]).mean()) if others.any() else None,
    )


def everyone(
    folds: Iterable[tuple[Graph, Recorded]], each: int, pull: float = PULL
) -> Iterator[Person]:
    """Yield everybody's figures; a fold is a graph and the windows of people unknown to it."""
    for graph, unseen in folds:
        for person in np.unique(unseen.persons):
            found = measured(graph, unseen.where(unseen.persons == person), each, pull)
            if found is not None:
                yield found
