"""What a listener is told nothing about: true windows lost to `Unknown`, and others let through."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.config import Tracker
from stream.events import UNKNOWN
from stream.tracker import choose
from trainer.evaluation.answers import Answers
from trainer.labels import DISGUISES, NONE_OF_THE_SIX, meanings
from trainer.recordings import ACTIVITIES

MIN_CONFIDENCE = Tracker().min_confidence
UNSURE = 0.6  # below it a listener can tell, though it has a name


@dataclass(frozen=True, slots=True)
class Other:
    """Windows of one word that is none of the six; all shares are between 0 and 1.

    `disguise` is the activity that it is in disguise, empty for a movement of its own. `says` is
    the activity that most of its windows are given, and `says_share` how many, sure or not.
    """

    word: str
    disguise: str
    windows: int
    unknown: float  # `Unknown`
    unsure: float  # `Unknown`, or below 0.6
    says: str
    says_share: float


@dataclass(frozen=True, slots=True)
class Unknown:
    """`lost` is the share of the six activities' windows that are `Unknown`.

    `unknown` and `unsure` (`Unknown`, or below 0.6) are shares of the windows of
    `labels.NONE_OF_THE_SIX`, None where there are none; `others` has every other word.
    """

    lost: float
    unknown: float | None
    unsure: float | None
    others: tuple[Other, ...]


def unknown(answers: Answers) -> Unknown:
    """Measure both sides of `Unknown`, as the server decides on it window by window."""
    known = answers.known()
    none = answers.where(np.isin(answers.names, sorted(NONE_OF_THE_SIX)))
    words = [str(word) for word in np.unique(answers.names) if not meanings(str(word))]
    # Movements of their own first, then what is in disguise.
    words.sort(key=lambda word: (DISGUISES.get(word, ""), word))
    return Unknown(
        lost=_share(is_unknown(known.probabilities)),
        unknown=_share(is_unknown(none.probabilities)) if len(none) else None,
        unsure=_share(is_unsure(none.probabilities)) if len(none) else None,
        others=tuple(_other(word, answers.where(answers.names == word)) for word in words),
    )


def made_up(answers: Answers) -> tuple[Other, ...]:
    """Measure windows that nobody recorded, kind by kind in their order."""
    kinds = dict.fromkeys(answers.names.tolist())
    return tuple(_other(kind, answers.where(answers.names == kind)) for kind in kinds)


def is_unknown(probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which windows (n,) the server would call `Unknown`, by its own rule."""
    chosen = [choose(row, ACTIVITIES, MIN_CONFIDENCE) for row in probabilities]
    return np.array([name == UNKNOWN for name in chosen], dtype=bool)


def is_unsure(probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which windows (n,) are `Unknown` or below 0.6."""
    unsure: NDArray[np.bool_] = probabilities.max(axis=1) < UNSURE
    return is_unknown(probabilities) | unsure


def _other(word: str, answers: Answers) -> Other:
    says = np.bincount(answers.probabilities.argmax(axis=1), minlength=len(ACTIVITIES))
    return Other(
        word=word,
        disguise=DISGUISES.get(word, ""),
        windows=len(answers),
        unknown=_share(is_unknown(answers.probabilities)),
        unsure=_share(is_unsure(answers.probabilities)),
        says=ACTIVITIES[says.argmax()],
        says_share=float(says.max() / len(answers)),
    )


def _share(mask: NDArray[np.bool_]) -> float:
    return float(mask.mean()) if len(mask) else 0.0
