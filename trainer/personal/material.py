"""What adapting is measured on: everyone's windows, and which recording each was cut from."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from trainer import gather
from trainer.errors import DataError
from trainer.evaluation.material import Material, checksum
from trainer.evaluation.streams import streams, windows_of
from trainer.personal.division import enough
from trainer.recordings import Recording
from trainer.windows import Examples, cut, examples

SAME_S = 60.0  # a shorter break is no other occasion: the phone is where it was
QUICK_PEOPLE = 4


@dataclass(frozen=True, slots=True, eq=False)
class Recorded(Examples):
    """Windows, and the number (n,) of the recording that each was cut from, as in `numbers`."""

    recordings: NDArray[np.int64]

    def enough(self, each: int) -> bool:
        """Say whether one of these people has enough to adapt to, and to be scored on."""
        people = (self.where(self.persons == person) for person in np.unique(self.persons))
        return any(enough(theirs.labels, theirs.recordings, each) for theirs in people)


def collect(data: Path | None, each: int, quick: bool) -> tuple[Material, Recorded]:
    """Load and cut all that may be trained on; `quick` keeps a few people who have enough.

    Raises DataError where nobody has enough for `each` windows an activity.
    """
    recordings = [item for _, items in gather.load(data) for item in items]
    if quick:
        recordings = [item for theirs in few(recordings, each) for item in theirs]
    recorded = windows(recordings)
    check(recorded.enough(each), each)
    everyone = Examples(*recorded.columns()[:-1])
    found = tuple(streams(recordings))
    asked = windows_of(found)
    return Material(everyone, found, asked, checksum(everyone, asked)), recorded


def check(is_enough: bool, each: int) -> None:
    """Raise DataError, which says what is needed, unless there is enough."""
    if not is_enough:
        raise DataError(
            f"nobody has {2 * each} windows of each of two activities, or {each} in one of several "
            "recordings: give fewer --windows"
        )


def few(recordings: Sequence[Recording], each: int) -> list[list[Recording]]:
    """Return all that the first few people recorded who have enough. Raises DataError for none."""
    people: dict[tuple[str, str], list[Recording]] = {}
    for item in recordings:
        people.setdefault((item.dataset, item.subject), []).append(item)
    able = (theirs for theirs in people.values() if _has_enough(theirs, each))
    kept = list(islice(able, QUICK_PEOPLE))
    check(bool(kept), each)
    return kept


def windows(recordings: Sequence[Recording]) -> Recorded:
    """Cut recordings into windows of all words. Raises DataError if there is no window."""
    found = examples(recordings, Signal())
    counts = [len(cut(item, Signal())) for item in recordings]
    of = np.repeat(numbers(recordings), counts)
    return Recorded(found.names, found.datasets, found.subjects, found.xyz, of)


def numbers(recordings: Sequence[Recording]) -> NDArray[np.int64]:
    """Return a number for each, the same one for what only a short break divides.

    Loaders cut where a second is missing, and so would make two of what was recorded at once.
    """
    begun = [not _goes_on(before, after) for before, after in pairwise(recordings)]
    return np.cumsum([0, *begun], dtype=np.int64)[: len(recordings)]


def _goes_on(before: Recording, after: Recording) -> bool:
    if before.t is None or after.t is None or not len(before) or not len(after):
        return False
    same = (before.dataset, before.subject, before.device, before.labels[-1])
    if same != (after.dataset, after.subject, after.device, after.labels[0]):
        return False
    return bool(0 <= after.t[0] - before.t[-1] < SAME_S)


def _has_enough(theirs: Sequence[Recording], each: int) -> bool:
    return any(cut(item, Signal()) for item in theirs) and windows(theirs).enough(each)
