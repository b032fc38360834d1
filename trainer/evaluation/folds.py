"""Who is trained on and who is measured, in every protocol. Always by subject.

No subject of a data set is on both sides of a fold.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.errors import DataError
from trainer.options import Protocol
from trainer.people import is_test
from trainer.windows import Described


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Masks (n,) over all examples: who is trained on, and who is then measured."""

    name: str
    train: NDArray[np.bool_]
    test: NDArray[np.bool_]


def folds(everyone: Described, protocol: Protocol, groups: int | None = None) -> list[Fold]:
    """Divide all examples; `groups` makes `loso` leave out one of so many groups of people.

    Raises DataError where one side of a fold would be empty.
    """
    made = [
        Fold(name, ~test, test)
        for name, test in _left_out(everyone, protocol, groups)
        if test.any()
    ]
    if not made or any(not fold.train.any() for fold in made):
        people = ", ".join(np.unique(everyone.persons).tolist())
        raise DataError(f"{protocol}: {NEEDS[protocol]}; found {people or 'nobody'}")
    return made


NEEDS = {
    Protocol.LOSO: "needs two people at least, and more than one group",
    Protocol.LODO: "needs two data sets at least; get another with `gaitway data get`",
    Protocol.SPLIT: "needs some of the people of `people.TEST`, and some others",
}


def _left_out(
    everyone: Described, protocol: Protocol, groups: int | None
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each fold's name and its mask (n,) of those who are measured."""
    if protocol is Protocol.SPLIT:
        yield "split", is_test(everyone.datasets, everyone.subjects)
    elif protocol is Protocol.LODO:
        for name in np.unique(everyone.datasets).tolist():
            yield name, everyone.datasets == name
    elif groups is not None:
        group = group_of(everyone, groups)
        for at in range(groups):
            yield f"group-{at + 1}-of-{groups}", group == at
    else:
        for dataset, subjects in everyone.people().items():
            for subject in subjects:
                one = (everyone.datasets == dataset) & (everyone.subjects == subject)
                yield f"{dataset}-{subject}", one


def group_of(everyone: Described, groups: int) -> NDArray[np.int64]:
    """Return the group (n,) of each window's subject: dealt in turn, by number, in each data set.

    The deal goes on from one data set to the next, so that groups are about equally large.
    """
    group = np.zeros(len(everyone), dtype=np.int64)
    dealt = 0
    for dataset, subjects in everyone.people().items():
        for subject in subjects:
            group[(everyone.datasets == dataset) & (everyone.subjects == subject)] = dealt % groups
            dealt += 1
    return group
