"""Samples at any rate become the uniform grid, by the device's own times. Knows no frames.

A grid sample depends on the samples within `REACH_S` around it and on nothing else (or, where
they are sparse, on its two neighbours), so what comes out is the same however the input was cut,
and state can be rebuilt from the last seconds.
"""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from stream.signal.lowpass import EPSILON_S, REACH_S, Times, to_grid

MIN_STEP_S = 5e-4  # what comes closer to a sample adds nothing; this bounds what is held
BLOCK = 4096  # samples filtered at once, which bounds the memory that it takes


class Anchor(NamedTuple):
    """Where a segment begins: grid index, device time `t` in s, and UTC in s since 1970."""

    start: int
    t: float
    utc: float


class Stretch(NamedTuple):
    """Contiguous grid samples: `xyz` (n, 3) float32 from grid index `start` on."""

    start: int
    xyz: NDArray[np.float32]
    anchor: Anchor  # the same for all stretches between two gaps


class Counters(msgspec.Struct, array_like=True):
    """What was dropped or missing so far."""

    late: int = 0
    duplicates: int = 0
    crowded: int = 0  # closer than MIN_STEP_S to another
    gaps: int = 0


class SegmentState(msgspec.Struct, array_like=True, frozen=True):
    """All that is remembered of the stream since the last gap."""

    anchor: Anchor
    newest: float  # device time in s
    next_index: int
    t: bytes  # (n,) float64, s since the anchor
    xyz: bytes  # (n, 3) float32


class ResamplerState(msgspec.Struct, array_like=True, frozen=True):
    """All that a resampler remembers."""

    counters: Counters
    breaking: bool
    segment: SegmentState | None


class Resampler:
    """Brings one device's samples to the grid; one instance a session.

    `feed` takes times (n,) in s and samples (n, 3) in m/s² in the order of arrival and returns
    the grid samples that became known: those at least `REACH_S` behind the newest time. A gap
    finishes the segment; what follows begins at the next grid index divisible by the hop.
    """

    def __init__(self, signal: Signal) -> None:
        self.counters = Counters()
        self._signal = signal
        self._segment: _Segment | None = None
        self._breaking = False  # the next sample begins a segment

    def save(self) -> ResamplerState:
        """Return all that it remembers, for `restore`."""
        segment = self._segment.save() if self._segment else None
        return ResamplerState(msgspec.structs.replace(self.counters), self._breaking, segment)

    def restore(self, state: ResamplerState) -> None:
        """Go on where `state` was saved."""
        self.counters, self._breaking = msgspec.structs.replace(state.counters), state.breaking
        self._segment = None if state.segment is None else _Segment.of(state.segment, self._signal)

    def break_off(self) -> None:
        """Let the next sample begin a segment, as after a gap, but count none."""
        self._breaking = self._segment is not None

    def feed(self, t: Times, xyz: NDArray[np.floating], utc: float = 0.0) -> list[Stretch]:
        """Take samples that arrived at `utc` s since 1970; return new grid samples in order."""
        out: list[Stretch] = []
        values = xyz.astype(np.float32)
        newest = self._segment.newest if self._segment else -np.inf
        for run in _runs(t, float(newest), self._signal.max_gap_s):
            out += self._feed_run(t[run], values[run], utc)
        return out

    def utc_at(self, t: float) -> float:
        """Return the time, in s since 1970, of device time `t` in s, by the newest segment."""
        if self._segment is None:
            raise ValueError("nothing was fed yet")
        anchor = self._segment.anchor
        return anchor.utc + (t - anchor.t)

    def feed_on_grid(self, xyz: NDArray[np.float32], utc: float = 0.0) -> list[Stretch]:
        """Take samples that are the grid already, bit for bit: an untimed stream at its rate."""
        segment = self._segment
        if segment is None:
            segment = _Segment(0.0, 0, self._signal, utc)
        elif self._breaking:
            segment = _Segment(segment.end_t, self._next_start(), self._signal, utc)
        self._segment, self._breaking = segment, False
        return [segment.pass_through(xyz)]

    def _feed_run(self, t: Times, xyz: NDArray[np.float32], utc: float) -> list[Stretch]:
        out: list[Stretch] = []
        segment = None if self._breaking else self._segment
        self._breaking = False
        if segment is not None and abs(t[0] - segment.newest) > self._signal.max_gap_s:
            self.counters.gaps += 1
            if t[0] > segment.newest:  # time went on, so the rest of the segment is known
                out += segment.known_until(segment.newest)
            segment = None
        if segment is None:
            segment = _Segment(float(t[0]), self._next_start(), self._signal, utc)
            self._segment = segment
        segment.add(t, xyz, self.counters)
        return out + segment.known_until(segment.newest - REACH_S)

    def _next_start(self) -> int:
        end = self._segment.next_index if self._segment else 0
        return -(-end // self._signal.hop) * self._signal.hop


def _runs(t: Times, newest: float, max_gap_s: float) -> list[slice]:
    """Cut arrivals into runs that are in order; a gap begins a run, a step back stands alone."""
    if len(t) <= BLOCK and _in_order(t, newest, max_gap_s):  # nearly always
        return [slice(0, len(t))]
    runs, begin = [], 0
    for i, now in enumerate(t.tolist()):
        gap = abs(now - newest) > max_gap_s
        alone = now - newest < MIN_STEP_S and not gap
        if begin < i and (gap or alone or i - begin == BLOCK):
            runs.append(slice(begin, i))
            begin = i
        if alone:
            runs.append(slice(i, i + 1))
            begin = i + 1
        else:
            newest = now
    if begin < len(t):
        runs.append(slice(begin, len(t)))
    return runs


def _in_order(t: Times, newest: float, max_gap_s: float) -> bool:
    steps = t[1:] - t[:-1]
    smallest, largest = float(t[0]) - newest, float(t[0]) - newest
    if len(steps):
        smallest, largest = min(smallest, steps.min()), max(largest, steps.max())
    return smallest >= MIN_STEP_S and largest <= max_gap_s


class _Segment:
    """The stream between two gaps, with times relative to its first sample."""

    def __init__(self, origin: float, start: int, signal: Signal, utc: float) -> None:
        self.newest = origin
        self.next_index = start
        self._origin = origin
        self._start = start
        self._step = 1 / signal.grid_hz
        self.anchor = Anchor(start, origin, utc)
        self._t = np.empty(0)
        self._xyz: NDArray[np.float32] = np.empty((0, 3), np.float32)

    @classmethod
    def of(cls, state: SegmentState, signal: Signal) -> "_Segment":
        segment = cls(state.anchor.t, state.anchor.start, signal, state.anchor.utc)
        segment.newest, segment.next_index = state.newest, state.next_index
        segment._t = np.frombuffer(state.t)
        segment._xyz = np.frombuffer(state.xyz, np.float32).reshape(-1, 3)
        return segment

    def save(self) -> SegmentState:
        t, xyz = self._t.tobytes(), self._xyz.tobytes()
        return SegmentState(self.anchor, self.newest, self.next_index, t, xyz)

    @property
    def end_t(self) -> float:
        """Device time in s of the next grid sample."""
        return self.anchor.t + (self.next_index - self.anchor.start) * self._step

    def pass_through(self, xyz: NDArray[np.float32]) -> Stretch:
        stretch = Stretch(self.next_index, xyz, self.anchor)
        self.next_index += len(xyz)
        return stretch

    def add(self, t: Times, xyz: NDArray[np.float32], counters: Counters) -> None:
        """Take samples newer than all others, in order, or a single one that is not."""
        relative = t - self._origin
        if not len(self._t) or t[0] - self.newest >= MIN_STEP_S:
            self.newest = float(t[-1])
            self._t = np.concatenate([self._t, relative])
            self._xyz = np.concatenate([self._xyz, xyz])
        else:
            self._insert(float(relative[0]), xyz, counters)

    def _insert(self, t: float, xyz: NDArray[np.float32], counters: Counters) -> None:
        """Take one sample that is not newer than all others, unless it is late or known."""
        if t <= (self.next_index - 1 - self._start) * self._step:
            counters.late += 1
            return
        place = int(np.searchsorted(self._t, t))
        near = np.abs(self._t[max(place - 1, 0) : place + 1] - t).min()
        if near == 0:
            counters.duplicates += 1
        elif near < MIN_STEP_S:
            counters.crowded += 1
        else:
            self._t = np.insert(self._t, place, t)
            self._xyz = np.insert(self._xyz, place, xyz, axis=0)

    def known_until(self, t: float) -> list[Stretch]:
        """Return the grid samples up to device time `t` that were not returned before."""
        end = self._start + int(np.floor((t - self._origin + EPSILON_S) / self._step)) + 1
        if end <= self.next_index:
            return []
        indices = np.arange(self.next_index - self._start, end - self._start, dtype=np.float64)
        grid: Times = indices * self._step
        xyz = to_grid(self._t, self._xyz, grid).astype(np.float32)
        stretch = Stretch(self.next_index, xyz, self.anchor)
        self.next_index = end
        self._forget(float(grid[-1]))
        return [stretch]

    def _forget(self, t: float) -> None:
        """Drop what no later grid sample needs: all but one sample before its reach."""
        keep = max(int(np.searchsorted(self._t, t + self._step - REACH_S)) - 2, 0)
        # Copied, or else what is kept of a large frame would keep all of it.
        self._t, self._xyz = self._t[keep:].copy(), self._xyz[keep:].copy()
