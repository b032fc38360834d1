"""What the model of a fold answered, in one file that is either whole or not there."""

import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from trainer.windows import Described


@dataclass(frozen=True, slots=True, eq=False)
class Answers(Described):
    """Probabilities (n, 6) of windows, and what each window is."""

    probabilities: NDArray[np.float32]

    @classmethod
    def of(cls, part: Described, probabilities: NDArray[np.float32]) -> Self:
        """Return the probabilities (n, 6) that were answered for the windows of `part`."""
        return cls(part.names, part.datasets, part.subjects, probabilities)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return all parts as one, in order; there must be one at least."""
        columns = zip(*(part.columns() for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A fold's answers: for its test people's windows, those of their streams, and made-up ones.

    `fingerprint` is a line of text that says what the answers depend on, and `made_up_as` what the
    made-up windows do; it is empty, as they are, in a file that has none.
    """

    fingerprint: str
    windows: Answers
    streams: Answers
    made_up: Answers
    made_up_as: str


NOTHING = np.array([], np.int64)
PARTS, LINES = ("windows", "streams", "made_up"), ("fingerprint", "made_up_as")


def save(path: Path, stored: Stored) -> None:
    """Write beside `path` and move there at the end, so that half a file never counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    arrays: dict[str, Any] = {name: np.array(getattr(stored, name)) for name in LINES}
    arrays |= {
        f"{name}_{field.name}": getattr(getattr(stored, name), field.name)
        for name in PARTS
        for field in fields(Answers)
    }
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, **arrays)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _part(arrays: Mapping[str, NDArray[Any]], name: str) -> Answers:
    return Answers(*(arrays[f"{name}_{field.name}"] for field in fields(Answers)))


def load(path: Path) -> Stored | None:
    """Return what `save` wrote there; None if there is no file, or one that it did not write."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            windows, streams = (_part(arrays, name) for name in ("windows", "streams"))
            old = "made_up_as" not in arrays
            made_up = windows.where(NOTHING) if old else _part(arrays, "made_up")
            made_up_as = "" if old else str(arrays["made_up_as"])
            return Stored(str(arrays["fingerprint"]), windows, streams, made_up, made_up_as)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error):
        return None
