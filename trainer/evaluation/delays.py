"""What a listener hears of a stream: how late true changes are confirmed, and false ones.

The session decides by its own tracker; here its activity events are held against the truth.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.events import UNKNOWN, Started
from trainer.evaluation.streams import Segment, Stream
from trainer.labels import meanings

TOLERANCE_S = 5.0  # half a window: so far may an event be dated from where its activity was true


class Heard(NamedTuple):
    """A confirmed activity: dated back to device time `t`, known at the end of a window."""

    activity: str
    t: float
    at: float  # device time in s of the end of the window whose prediction confirmed it


@dataclass(frozen=True, slots=True)
class Delays:
    """What was heard of one stream or of several.

    A *change* is the start of a segment after the first, unless the device was already confirmed
    to do what the segment is: there is nothing left to confirm (`already`). It is confirmed by
    the first event within the segment that names an activity its word allows; its delay runs
    from the change to the end of the window whose prediction confirmed it, which is when a
    listener hears of it. One that is never confirmed has an infinite delay.

    A *false* transition is an event that names an activity which no segment within 5 s of the
    time it is dated to allows, or `Unknown` farther than 5 s from a change. `unknown` counts all
    events that name `Unknown`.
    """

    delays_s: tuple[float, ...]
    changes: int
    already: int
    false: int
    unknown: int
    hours: float

    @property
    def confirmed(self) -> float:
        """The share of changes that were confirmed at all; 1 where there were none."""
        return float(np.isfinite(self.delays_s).mean()) if self.delays_s else 1.0

    @property
    def median_s(self) -> float:
        """The median delay of all changes, NaN where there were none."""
        return float(np.median(self.delays_s)) if self.delays_s else float("nan")

    @property
    def p90_s(self) -> float:
        """The delay that nine changes in ten keep to, NaN where there were none."""
        if not self.delays_s:
            return float("nan")
        return float(np.percentile(self.delays_s, 90, method="higher"))

    @property
    def false_per_hour(self) -> float:
        """False transitions an hour of stream."""
        return self.false / self.hours if self.hours else 0.0

    @property
    def unknown_per_hour(self) -> float:
        """Transitions to `Unknown` an hour of stream."""
        return self.unknown / self.hours if self.hours else 0.0


def together(parts: Iterable[Delays]) -> Delays:
    """Return all streams' figures as one."""
    found = list(parts)
    return Delays(
        delays_s=tuple(delay for part in found for delay in part.delays_s),
        changes=sum(part.changes for part in found),
        already=sum(part.already for part in found),
        false=sum(part.false for part in found),
        unknown=sum(part.unknown for part in found),
        hours=sum(part.hours for part in found),
    )


def heard(stream: Stream, probabilities: NDArray[np.float32]) -> list[Heard]:
    """Feed a stream to a session, answer its windows with (n, 6), and return what it confirms."""
    session, windows = stream.session()
    return [
        Heard(event.activity, event.t, window.t[1])
        for window, row in zip(windows, probabilities, strict=True)
        for event in session.decide(session.predict(window, row))
        if isinstance(event, Started)
    ]


def delays(segments: tuple[Segment, ...], events: list[Heard]) -> Delays:
    """Hold what was heard against the segments of the stream; see `Delays`."""
    found: list[float] = []
    already = 0
    for segment in segments[1:]:
        before = [event.activity for event in events if event.at < segment.start]
        if before and before[-1] in meanings(segment.name):
            already += 1
        else:
            found.append(_delay(segment, events))
    return Delays(
        delays_s=tuple(found),
        changes=len(segments) - 1 - already,
        already=already,
        false=sum(not _is_true(event, segments) for event in events),
        unknown=sum(event.activity == UNKNOWN for event in events),
        hours=(segments[-1].end - segments[0].start) / 3600,
    )


def _delay(segment: Segment, events: list[Heard]) -> float:
    """Return the delay of the first event that confirms the segment, else an infinite one."""
    right = meanings(segment.name)
    found = (
        event.at - segment.start
        for event in events
        if segment.start <= event.at < segment.end and event.activity in right
    )
    return next(found, math.inf)


def _is_true(event: Heard, segments: tuple[Segment, ...]) -> bool:
    if event.activity == UNKNOWN:
        return any(abs(event.t - segment.start) <= TOLERANCE_S for segment in segments[1:])
    return any(
        event.activity in meanings(segment.name)
        and segment.start - TOLERANCE_S <= event.t <= segment.end + TOLERANCE_S
        for segment in segments
    )
