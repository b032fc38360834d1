"""What every loader yields: one run of one subject's samples, and a count of odd records."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

ACTIVITIES = ("Downstairs", "Jogging", "Sitting", "Standing", "Upstairs", "Walking")


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Contiguous samples of one subject; labels may name more than the six activities.

    `t` holds device seconds, float64 (n,), or is None where the file's times make no sense: then
    sample n is taken at n / `rate_hz`. `xyz` is float32 (n, 3) in m/s² with gravity, Android's
    sign. `labels` is a string array (n,).
    """

    dataset: str
    subject: str
    device: str
    rate_hz: float
    t: NDArray[np.float64] | None
    xyz: NDArray[np.float32]
    labels: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.xyz)


@dataclass(slots=True)
class LoadReport:
    """How many records a file held, how many were kept, and every oddity with its count."""

    found: int = 0
    kept: int = 0
    oddities: Counter[str] = field(default_factory=Counter)

    def count(self, oddity: str, times: int = 1) -> None:
        """Note an oddity; nothing that a file contains stops a load."""
        if times:
            self.oddities[oddity] += times

    def lines(self) -> Iterator[str]:
        """Yield the report as text, one line for the totals and one for each oddity."""
        yield f"{self.found:,} records found, {self.kept:,} kept"
        for oddity, times in sorted(self.oddities.items()):
            yield f"  {times:,} x {oddity}"
