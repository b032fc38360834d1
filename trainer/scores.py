"""Measures predictions on labelled windows: by data set, by class, and by subject."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, f1_score

from trainer.recordings import ACTIVITIES
from trainer.windows import Described

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """What was reached on one group of windows; every share is between 0 and 1.

    F1 counts the activities that the group's labels hold, and no others. `confusion` has a row
    for each label and a column for each prediction, in the order of the activities.
    """

    group: str
    windows: int
    subjects: int
    accuracy: float
    macro_f1: float
    f1: dict[str, float]
    worst_subject: str
    worst_accuracy: float
    confusion: NDArray[np.int64]

    def metrics(self, prefix: str) -> dict[str, float]:
        """Return the figures flat, as a manifest and `metrics.json` hold them."""
        end = self.group.replace("-", "_").replace(".", "_")
        flat = {
            f"{prefix}_accuracy_{end}": self.accuracy,
            f"{prefix}_macro_f1_{end}": self.macro_f1,
            f"{prefix}_worst_subject_accuracy_{end}": self.worst_accuracy,
            f"{prefix}_windows_{end}": float(self.windows),
        }
        flat |= {f"{prefix}_f1_{end}_{name.lower()}": value for name, value in self.f1.items()}
        return {name: round(value, 4) for name, value in flat.items()}


def scores(examples: Described, predicted: Indices) -> Iterator[Score]:
    """Yield a score for each data set, and one for all if there are several."""
    names = [str(name) for name in np.unique(examples.datasets)]
    for name in names:
        mask = examples.datasets == name
        yield score(name, examples.where(mask), predicted[mask])
    if len(names) > 1:
        yield score("all", examples, predicted)


def score(group: str, examples: Described, predicted: Indices) -> Score:
    """Measure predictions (n,) of one group of examples."""
    labels = examples.labels
    present = np.unique(labels)
    f1 = f1_score(labels, predicted, labels=present, average=None, zero_division=0.0)
    people = examples.persons
    by_subject = {
        str(name): float((predicted == labels)[people == name].mean()) for name in np.unique(people)
    }
    worst = min(by_subject, key=lambda name: by_subject[name])
    return Score(
        group=group,
        windows=len(labels),
        subjects=len(by_subject),
        accuracy=float((predicted == labels).mean()),
        macro_f1=float(np.mean(f1)),
        f1={ACTIVITIES[at]: float(value) for at, value in zip(present, f1, strict=True)},
        worst_subject=worst,
        worst_accuracy=by_subject[worst],
        confusion=confusion_matrix(labels, predicted, labels=range(len(ACTIVITIES))),
    )
