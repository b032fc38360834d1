"""Who may be trained on and who is measured: the only place where people are listed.

Everything is split by subject, so that no window of a person is on both sides.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from trainer.recordings import Recording, motionsense, wisdm_2019, wisdm_v1

# Never trained on, even where a complete download holds them: they measure what ships.
HELD_OUT: dict[str, frozenset[str]] = {
    motionsense.NAME: frozenset({"19", "20", "21", "22", "23", "24"}),
    wisdm_v1.NAME: frozenset({"20"}),
}

# Of WISDM 2019 the recipes know these people alone; everyone else in it is held out.
WISDM_2019_PEOPLE = frozenset(
    str(number)
    for number in (
        *(1600, 1604, 1606, 1607, 1609, 1611, 1612, 1615),
        *(1617, 1618, 1622, 1624, 1626, 1630, 1631, 1632),
    )
)

# Left out of the model that is measured and back in the one that ships: every fourth person,
# and of WISDM v1.1 the users that the classic recipe tests on.
TEST: dict[str, frozenset[str]] = {
    motionsense.NAME: frozenset({"4", "8", "12", "16"}),
    wisdm_2019.NAME: frozenset({"1607", "1615", "1624", "1632"}),
    wisdm_v1.NAME: frozenset({"31", "32", "33", "34", "35", "36"}),
}


def may_train(recording: Recording) -> bool:
    """Say whether a recording's subject may be trained on at all."""
    if recording.dataset == wisdm_2019.NAME:
        return recording.subject in WISDM_2019_PEOPLE
    return recording.subject not in HELD_OUT.get(recording.dataset, frozenset())


def is_test(datasets: Iterable[str], subjects: Iterable[str]) -> NDArray[np.bool_]:
    """Return for each (data set, subject) whether the split model is measured on it, (n,)."""
    pairs = zip(datasets, subjects, strict=True)
    return np.array([subject in TEST.get(dataset, frozenset()) for dataset, subject in pairs], bool)
