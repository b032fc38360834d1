"""What the words of the data sets say about the six activities: one, one of several, or none."""

import numpy as np
from numpy.typing import NDArray

from trainer.recordings import ACTIVITIES

NONE = -1  # in place of a label's index where a word names no single activity

# A word that names several of the six: which of them stays open.
PARTIAL: dict[str, tuple[str, ...]] = {
    "Stairs": ("Downstairs", "Upstairs"),  # WISDM 2019 does not say which way
}

# Words for something else that are one of the six in disguise: a phone in the trouser pocket
# cannot tell, since hands and mouth do it, so that the activity's own name is no mistake.
DISGUISES: dict[str, str] = {
    "Typing": "Sitting",
    "Writing": "Sitting",
    "Soup": "Sitting",
    "Chips": "Sitting",
    "Pasta": "Sitting",
    "Drinking": "Sitting",
    "Sandwich": "Sitting",
    "Teeth": "Standing",
    "Clapping": "Standing",
    "Folding": "Standing",
}

# Words for movements of the whole body that none of the six explains: these must be `Unknown`.
NONE_OF_THE_SIX: frozenset[str] = frozenset({"Kicking", "Catch", "Dribbling"})


def allowed(names: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Return which of the six activities each word (n,) may mean, (n, 6); none for other words."""
    words, place = np.unique(names, return_inverse=True)
    rows = [[activity in meanings(str(word)) for activity in ACTIVITIES] for word in words]
    return np.array(rows, dtype=bool).reshape(-1, len(ACTIVITIES))[place]


def meanings(word: str) -> tuple[str, ...]:
    """Return the activities that a data set's word may mean; empty if it is none of the six."""
    return (word,) if word in ACTIVITIES else PARTIAL.get(word, ())


def single(may_be: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the index (n,) of the one activity that a row (n, 6) allows, and NONE elsewhere."""
    return np.where(may_be.sum(axis=1) == 1, may_be.argmax(axis=1), NONE)
