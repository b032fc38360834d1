"""How many windows keep their prediction: by variant, data set, person and word."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.events import UNKNOWN
from trainer.evaluation.unknown import UNSURE
from trainer.labels import meanings
from trainer.rates.pairs import Pairs

REQUIRED = 0.95  # of the windows of the six activities, of each data set and each person


@dataclass(frozen=True, slots=True)
class Agreement:
    """One variant against one other stream, on one group of windows; shares are between 0 and 1.

    A group is a data set's windows of the six activities, or those `of_others`. Windows that the
    stream lacks are `missing` and in no share. `unsure` is the share of the changed windows of
    which one side is `Unknown` or below 0.6; `difference` the root mean square in m/s² between
    the windows of both streams. `changes` counts from what to what.
    """

    against: str
    variant: str
    dataset: str
    of_others: bool
    windows: int
    missing: int
    kept: float
    by_person: dict[str, float]
    by_word: dict[str, float]
    changes: dict[str, int]
    unsure: float | None
    difference: float

    @property
    def group(self) -> str:
        """What tables call the group."""
        return f"{self.dataset}, others" if self.of_others else self.dataset

    @property
    def worst(self) -> tuple[str, float]:
        """The person with the lowest share, and that share."""
        return min(self.by_person.items(), key=lambda item: item[1])

    @property
    def enough(self) -> bool:
        """Whether the group keeps what is required, and its worst person too."""
        return min(self.kept, self.worst[1]) >= REQUIRED


def agreements(pairs: Pairs) -> Iterator[Agreement]:
    """Yield figures for each pair of streams, data set by data set, the six before others."""
    known = np.array([bool(meanings(str(name))) for name in pairs.names])
    for against in dict.fromkeys(pairs.against.tolist()):
        for of_others in (False, True):
            chosen = pairs.where((pairs.against == against) & (known != of_others))
            for dataset in np.unique(chosen.datasets).tolist():
                group = chosen.where(chosen.datasets == dataset)
                for variant in dict.fromkeys(group.variants.tolist()):
                    yield agreement(group.where(group.variants == variant), of_others)


def agreement(part: Pairs, of_others: bool = False) -> Agreement:
    """Measure the windows of one pair of streams and data set; there must be one at least."""
    there = part.where(part.after != "")
    kept = there.before == there.after
    changed = there.where(~kept)
    return Agreement(
        against=str(part.against[0]),
        variant=str(part.variants[0]),
        dataset=str(part.datasets[0]),
        of_others=of_others,
        windows=len(there),
        missing=len(part) - len(there),
        kept=float(kept.mean()) if len(there) else 0.0,
        by_person=_shares(there.subjects, kept),
        by_word=_shares(there.names, kept),
        changes=_changes(changed),
        unsure=float(_unsure(changed).mean()) if len(changed) else None,
        difference=float(np.sqrt((there.difference**2).mean())) if len(there) else 0.0,
    )


def _shares(keys: NDArray[np.str_], kept: NDArray[np.bool_]) -> dict[str, float]:
    return {str(key): float(kept[keys == key].mean()) for key in np.unique(keys)}


def _changes(changed: Pairs) -> dict[str, int]:
    pairs = zip(changed.before.tolist(), changed.after.tolist(), strict=True)
    return dict(Counter(f"{before} → {after}" for before, after in pairs).most_common())


def _unsure(changed: Pairs) -> NDArray[np.bool_]:
    """Return which windows (n,) a listener was told too little about, before or after."""
    named = (changed.before != UNKNOWN) & (changed.after != UNKNOWN)
    least = np.minimum(changed.before_confidence, changed.after_confidence)
    unsure: NDArray[np.bool_] = ~named | (least < UNSURE)
    return unsure
