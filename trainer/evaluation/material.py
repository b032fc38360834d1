"""What an evaluation works on: everyone's windows and streams, cut once."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stream.config import Signal
from trainer import gather
from trainer.evaluation.streams import Stream, streams, windows_of
from trainer.windows import Examples, examples

QUICK_EXAMPLES = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Windows of all words, each person's stream, the streams' windows, and a checksum of it all.

    `stream_windows` are those of the streams, in their order.
    """

    everyone: Examples
    streams: tuple[Stream, ...]
    stream_windows: Examples
    checksum: str


def collect(data: Path | None, quick: bool) -> Material:
    """Load and cut all that may be trained on; `quick` thins it. Raises DataError."""
    recordings = [item for _, items in gather.load(data) for item in items]
    everyone = examples(recordings, Signal())
    if quick:
        step = max(1, len(everyone) // QUICK_EXAMPLES)
        everyone = everyone.where(np.arange(0, len(everyone), step))
    found = tuple(streams(recordings))
    asked = windows_of(found)
    return Material(everyone, found, asked, checksum(everyone, asked))


def checksum(*parts: Examples) -> str:
    """Return the SHA-256 of all windows, their words and their origins."""
    digest = hashlib.sha256()
    for part in parts:
        for column in part.columns():
            digest.update(f"{column.dtype} {column.shape}\n".encode())
            digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()
