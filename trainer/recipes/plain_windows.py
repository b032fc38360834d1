"""Windows over the plain order of records, as the tutorial cuts them: no times, no gaps.

Only the classic recipe uses it; what is to run on real phones goes through `windows`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import RobustScaler

from stream.config import Signal
from trainer.errors import DataError
from trainer.recordings import ACTIVITIES
from trainer.recordings.wisdm_v1 import NAME, Table
from trainer.windows import Examples


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The windows on one side of a split: raw, in m/s², and the same ones scaled (n, time, 3)."""

    raw: Examples
    scaled: NDArray[np.float32]

    def thinned(self, count: int) -> "Part":
        """Keep about `count` windows, evenly spread."""
        kept = np.arange(0, len(self.raw), max(1, len(self.raw) // count))
        return Part(self.raw.where(kept), self.scaled[kept])


def part(table: Table, scaler: RobustScaler, signal: Signal) -> Part:
    """Cut one side's records; `scaler` is fitted already. Raises DataError if there are too few.

    A window belongs to the user of its first record: the tutorial cuts across users.
    """
    raw = windows(table.xyz, signal)
    if not len(raw):
        users = ", ".join(map(str, np.unique(table.users)))
        raise DataError(f"users {users}: {len(table.xyz)} records are too few for one window")
    users_of = table.users[: len(raw) * signal.hop : signal.hop].astype(np.str_)
    names = np.array(ACTIVITIES)[modes(np.searchsorted(ACTIVITIES, table.activities), signal)]
    scaled = scaler.transform(table.xyz.astype(np.float64)).astype(np.float32)
    examples = Examples(names, np.full(len(raw), NAME), users_of, raw)
    return Part(examples, windows(scaled, signal))


def windows(xyz: NDArray[np.float32], signal: Signal) -> NDArray[np.float32]:
    """Cut records (n, 3) into windows (m, time, 3) that start at range(0, n - window, hop)."""
    starts = range(0, len(xyz) - signal.window, signal.hop)
    cut = [xyz[start : start + signal.window] for start in starts]
    return np.stack(cut) if cut else np.empty((0, signal.window, 3), np.float32)


def modes(labels: NDArray[np.int64], signal: Signal) -> NDArray[np.int64]:
    """Return the most frequent label (m,) of each such window; of equals, the lowest."""
    starts = np.arange(0, len(labels) - signal.window, signal.hop)
    one_hot = np.eye(len(ACTIVITIES), dtype=np.int64)[labels]
    before = np.vstack([np.zeros_like(one_hot[:1]), np.cumsum(one_hot, axis=0)])
    counts = before[starts + signal.window] - before[starts]  # (m, classes)
    return np.asarray(counts.argmax(axis=1), np.int64)
