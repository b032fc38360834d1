"""What adapting is worth to one person: each take is judged by a layer that never saw it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.personal.fit import Lesson, fitted
from trainer.personal.last_layer import LastLayer
from trainer.progress import counted_bar


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many windows of how many takes were judged, and which share was right."""

    windows: int
    takes: int
    before: float
    after: float


def left_out(
    layer: LastLayer, lesson: Lesson, takes: NDArray[np.int64], *, bias: bool
) -> LeftOut | None:
    """Leave out each take (n,) whose activity has another one; None if none has."""
    tried = [one for one in np.unique(takes) if _has_another(lesson, takes == one)]
    if not tried:
        return None
    before, after = list[NDArray[np.bool_]](), list[NDArray[np.bool_]]()
    with counted_bar("leaving takes out", len(tried), 0) as advance:
        for one in tried:
            apart = lesson.where(takes == one)
            adapted = fitted(layer, lesson.where(takes != one), bias=bias)
            before.append(right(layer, apart))
            after.append(right(adapted, apart))
            advance("")
    windows = sum(map(len, before))
    shares = (float(np.concatenate(part).mean()) for part in (before, after))
    return LeftOut(windows, len(tried), *shares)


def right(layer: LastLayer, lesson: Lesson) -> NDArray[np.bool_]:
    """Return for each window (n,) whether its activity is the most probable one."""
    found: NDArray[np.bool_] = layer.probabilities(lesson.features).argmax(axis=1) == lesson.labels
    return found


def _has_another(lesson: Lesson, inside: NDArray[np.bool_]) -> bool:
    return bool(np.isin(lesson.labels[inside], lesson.labels[~inside]).any())
