"""A person's recordings joined end to end: one long stream with changes of activity.

It goes through the server's own session. What is measured on it is in `delays`.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.session import Session, SessionOptions
from stream.signal.window import Window
from stream.wire import Frame
from trainer.labels import meanings
from trainer.recordings import ACTIVITIES, Recording
from trainer.recordings.runs import blocks
from trainer.windows import Examples, times

SHORTEST_S, PIECE_S = 20.0, (30.0, 120.0)  # what is shorter cannot be confirmed in time
OPTIONS = SessionOptions(activities=ACTIVITIES, model="evaluated")


class Segment(NamedTuple):
    """One activity by the data set's word, half-open [start, end) in device seconds."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """One person's joined samples: times (n,) in s, m/s² (n, 3), and what they did when."""

    dataset: str
    subject: str
    t: NDArray[np.float64]
    xyz: NDArray[np.float32]
    segments: tuple[Segment, ...]

    def session(self) -> tuple[Session, list[Window]]:
        """Return a fresh session that was fed the whole stream, and its windows in order.

        How samples are cut into frames changes no window, so it is a single frame.
        """
        session = Session(f"{self.dataset}-{self.subject}", "1", OPTIONS)
        return session, session.feed(Frame(0, self.t, None, self.xyz))

    def name_at(self, t: float) -> str:
        """Return the word of the activity at device time `t` in s."""
        return next((part.name for part in self.segments if t < part.end), self.segments[-1].name)


def streams(recordings: Iterable[Recording]) -> Iterator[Stream]:
    """Yield a stream for each person who has at least one change of activity to show."""
    people: dict[tuple[str, str], list[Recording]] = {}
    for recording in recordings:
        people.setdefault((recording.dataset, recording.subject), []).append(recording)
    for (dataset, subject), theirs in people.items():
        # The same order and lengths in every run, whatever the seed of the training.
        rng = np.random.default_rng(zlib.crc32(f"{dataset}/{subject}".encode()))
        found = [piece for recording in theirs for piece in pieces(recording, rng)]
        if len(row := list(ordered(found, rng))) > 1:
            yield joined(dataset, subject, row)


def pieces(recording: Recording, rng: np.random.Generator) -> Iterator[Recording]:
    """Cut what a recording has of the six activities into pieces of 30 to 120 s of one word.

    A shorter rest is a piece from 20 s on, and otherwise left out.
    """
    t = times(recording)
    for block in blocks(recording.labels):
        begin = block.start
        while meanings(str(recording.labels[block.start])) and begin < block.stop:
            until = t[begin] + rng.uniform(*PIECE_S)
            end = begin + int(np.searchsorted(t[begin : block.stop], until))
            if t[end - 1] - t[begin] >= SHORTEST_S:
                part = slice(begin, end)
                labels = recording.labels[part]
                yield replace(recording, t=t[part], xyz=recording.xyz[part], labels=labels)
            begin = end


def ordered(found: list[Recording], rng: np.random.Generator) -> Iterator[Recording]:
    """Yield pieces at random so that neighbours are different activities; others are left out.

    The word with most pieces left comes first, so that few are.
    """
    waiting: dict[str, list[Recording]] = {}
    for at in rng.permutation(len(found)):
        waiting.setdefault(str(found[at].labels[0]), []).append(found[at])
    last = ""
    while choices := [word for word, left in waiting.items() if left and word != last]:
        most = max(len(waiting[word]) for word in choices)
        last = str(rng.choice([word for word in choices if len(waiting[word]) == most]))
        yield waiting[last].pop()


def joined(dataset: str, subject: str, row: list[Recording]) -> Stream:
    """Set pieces one after the other, a sample interval apart."""
    parts: list[NDArray[np.float64]] = []
    segments: list[Segment] = []
    at = 0.0
    for piece in row:
        t = times(piece)
        parts.append(t - t[0] + at)
        end = float(parts[-1][-1] + np.median(np.diff(t)))
        segments.append(Segment(str(piece.labels[0]), at, end))
        at = end
    xyz = np.concatenate([piece.xyz for piece in row])
    return Stream(dataset, subject, np.concatenate(parts), xyz, tuple(segments))


def windows_of(found: Iterable[Stream]) -> Examples:
    """Return the windows of all streams, in order; each has the word of the time at its middle."""
    rows = [
        (stream.name_at(sum(window.t) / 2), stream.dataset, stream.subject, window.xyz)
        for stream in found
        for window in stream.session()[1]
    ]
    if not rows:
        none = np.array([], np.str_)
        return Examples(none, none, none, np.empty((0, OPTIONS.signal.window, 3), np.float32))
    names, datasets, subjects, xyz = zip(*rows, strict=True)
    return Examples(np.array(names), np.array(datasets), np.array(subjects), np.stack(xyz))
