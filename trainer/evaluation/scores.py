"""Measures answers for labelled windows: by data set, by class, and by subject."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, f1_score

from trainer.evaluation.answers import Answers
from trainer.evaluation.reliability import Reliability, reliability
from trainer.labels import NONE, PARTIAL
from trainer.recordings import ACTIVITIES

# The word for each activity, in their order, once those that some data set has as one are merged.
MERGED = np.array(
    [next((word for word, some in PARTIAL.items() if name in some), name) for name in ACTIVITIES]
)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The share of windows that are right, of all and by subject (`motionsense/4`)."""

    windows: int
    share: float
    by_subject: dict[str, float]

    @property
    def worst(self) -> tuple[str, float]:
        """The subject with the lowest share, and that share."""
        return min(self.by_subject.items(), key=lambda item: item[1])


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """What was reached on one group of windows; every share is between 0 and 1.

    `known` counts every window that is one of the six, a partial label as right where it allows
    the prediction. All others count single labels alone, except the merged ones, in which up and
    down are one activity. F1 counts the activities that the group's labels hold, and no others.
    `confusion` has a row for each label and a column for each prediction, in their order.
    """

    group: str
    known: Accuracy
    labelled: Accuracy
    f1: dict[str, float]
    merged_accuracy: float
    merged_f1: dict[str, float]
    confusion: NDArray[np.int64]
    reliability: Reliability

    @property
    def accuracy(self) -> float:
        """The accuracy of all windows that are one of the six, whole and partial labels."""
        return self.known.share

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the activities that single labels hold; 0 if there are none."""
        return _mean(self.f1)

    @property
    def merged_macro_f1(self) -> float:
        """The same with up and down merged, over whole and partial labels."""
        return _mean(self.merged_f1)

    def metrics(self, prefix: str) -> dict[str, float]:
        """Return the figures flat, as a manifest and `metrics.json` of a training hold them."""
        end = self.group.replace("-", "_").replace(".", "_")
        flat = {
            f"{prefix}_accuracy_{end}": self.accuracy,
            f"{prefix}_macro_f1_{end}": self.macro_f1,
            f"{prefix}_worst_subject_accuracy_{end}": self.known.worst[1],
            f"{prefix}_calibration_error_{end}": self.reliability.error,
            f"{prefix}_windows_{end}": float(self.known.windows),
        }
        flat |= {f"{prefix}_f1_{end}_{name.lower()}": value for name, value in self.f1.items()}
        return {name: round(value, 4) for name, value in flat.items()}


def by_group(answers: Answers) -> Iterator[tuple[str, Answers]]:
    """Yield the answers for each data set, and those for `all` if there are several."""
    names = [str(name) for name in np.unique(answers.datasets)]
    for name in names:
        yield name, answers.where(answers.datasets == name)
    if len(names) > 1:
        yield "all", answers


def scores(answers: Answers) -> Iterator[Score]:
    """Yield a score for each data set, and one for all if there are several."""
    for group, part in by_group(answers):
        if len(part.known()):
            yield score(group, part)


def score(group: str, answers: Answers) -> Score:
    """Measure one group of answers; at least one window must be one of the six activities."""
    known, labelled = answers.known(), answers.labelled()
    predicted = labelled.probabilities.argmax(axis=1)
    accuracy, f1 = _merged(known)
    return Score(
        group=group,
        known=_accuracy(known),
        labelled=_accuracy(labelled),
        f1=_f1(np.array(ACTIVITIES)[labelled.labels], np.array(ACTIVITIES)[predicted]),
        merged_accuracy=accuracy,
        merged_f1=f1,
        confusion=confusion_matrix(labelled.labels, predicted, labels=range(len(ACTIVITIES)))
        if len(labelled)
        else np.zeros((len(ACTIVITIES),) * 2, np.int64),
        reliability=reliability(labelled.probabilities.max(axis=1), is_right(labelled)),
    )


def is_right(answers: Answers) -> NDArray[np.bool_]:
    """Return for each window (n,) whether its word allows the most probable activity."""
    predicted = answers.probabilities.argmax(axis=1)
    right: NDArray[np.bool_] = answers.allowed[np.arange(len(answers)), predicted]
    return right


def _accuracy(answers: Answers) -> Accuracy:
    right, persons = is_right(answers), answers.persons
    by_subject = {
        str(person): float(right[persons == person].mean()) for person in np.unique(persons)
    }
    return Accuracy(len(right), float(right.mean()) if len(right) else 0.0, by_subject)


def _merged(known: Answers) -> tuple[float, dict[str, float]]:
    """Return accuracy, and F1 by activity, where a partial label is an activity of its own."""
    labels = known.labels
    truth = np.where(labels == NONE, known.names, MERGED[labels])
    predicted = MERGED[known.probabilities.argmax(axis=1)]
    return float((truth == predicted).mean()), _f1(truth, predicted)


def _f1(truth: NDArray[np.str_], predicted: NDArray[np.str_]) -> dict[str, float]:
    present = np.unique(truth)
    if not len(present):
        return {}
    values = f1_score(truth, predicted, labels=present, average=None, zero_division=0.0)
    return {str(name): float(value) for name, value in zip(present, values, strict=True)}


def _mean(f1: dict[str, float]) -> float:
    return sum(f1.values()) / len(f1) if f1 else 0.0
