"""Cuts what a device was labelled with out of its samples. Pure: writes nothing, keeps no more.

How samples were cut into frames never changes what comes out.
"""

from math import inf
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream.errors import DeviceError

HOLD_S = 5.0  # of labelled samples are held, so that a label may be ended or changed in arrears
MAX_HELD = 4096  # samples; a sensor of 400 Hz gives 2000 in that time
MAX_WAITING = 16  # labels whose time has not come

Row = tuple[float, float, float, float]  # device time in s; x, y, z in m/s²


class Part(NamedTuple):
    """Consecutive samples of one label, which follow those before them unless it `begins`."""

    label: str
    begins: bool  # with it a stretch begins
    rows: list[Row]


class LabellerState(msgspec.Struct, array_like=True, frozen=True):
    """All that a labeller remembers."""

    label: str | None
    waiting: list[tuple[float, str | None]]
    held: list[tuple[str, Row]]
    newest: float
    stretch: str | None
    parts: list[Part]
    unordered: int


class Labeller:
    """The labels of one session, and the samples that they were given to.

    A label counts for the samples at its time or later that are held or still to come. Samples
    that came while nothing was labelled are not held. A later label takes back those that wait
    for a time at or after its own. When time runs back by more than `max_gap_s`, all end.
    """

    def __init__(self, max_gap_s: float) -> None:
        self._max_gap_s = max_gap_s
        self._label: str | None = None  # of the next sample
        self._waiting: list[tuple[float, str | None]] = []  # by time, which has not come
        self._held: list[tuple[str, Row]] = []
        self._newest = -inf  # time of the newest sample, while there is something to label
        self._stretch: str | None = None  # label of the stretch that goes on; None: none does
        self._parts: list[Part] = []
        self._unordered = 0

    def save(self) -> LabellerState:
        """Return all that it remembers, for `restore`."""
        held = (list(self._waiting), list(self._held), self._newest, self._stretch)
        return LabellerState(self._label, *held, list(self._parts), self._unordered)

    def restore(self, state: LabellerState) -> None:
        """Go on where `state` was saved."""
        self._label, self._waiting = state.label, list(state.waiting)
        self._held, self._newest, self._stretch = list(state.held), state.newest, state.stretch
        self._parts, self._unordered = list(state.parts), state.unordered

    @property
    def idle(self) -> bool:
        """Whether nothing is labelled or about to be."""
        return self._label is None and not self._waiting

    @property
    def ready(self) -> bool:
        """Whether `take` has something to give."""
        return bool(self._parts or self._unordered)

    def label(self, t: float | None, label: str | None, seq: int | None = None) -> None:
        """Let `label` begin at device time `t` in s, or, for None, with the next sample.

        Raises DeviceError where too many labels wait for their time.
        """
        earlier = [] if t is None else [entry for entry in self._waiting if entry[0] < t]
        if len(earlier) >= MAX_WAITING:
            raise DeviceError(f"{len(earlier)} labels wait for their time: no more may", seq)
        self._waiting = earlier
        if t is not None and t > self._newest:
            self._waiting.append((t, label))
            return
        if t is not None:
            relabelled = [(label if row[0] >= t else old, row) for old, row in self._held]
            self._held = [(name, row) for name, row in relabelled if name is not None]
        self._turn(label)

    def feed(self, t: NDArray[np.float64], xyz: NDArray[np.float32]) -> None:
        """Take samples (n, 3) in m/s² at device times (n,) in s, in order of arrival."""
        if self.idle:  # nearly always
            return
        for when, (x, y, z) in zip(t.tolist(), xyz.tolist(), strict=True):
            self._feed((when, x, y, z))
            if self.idle:
                return
        self._release(self._newest - HOLD_S)

    def take(self) -> tuple[list[Part], int]:
        """Return what is ready to be written, and how many labelled samples were out of order.

        Those, older than another or at its time, are left out.
        """
        taken = self._parts, self._unordered
        self._parts, self._unordered = [], 0
        return taken

    def break_off(self) -> None:
        """Let a new stretch begin, since samples to come have other signs than those before."""
        self._release(inf)
        self._stretch = None

    def end(self) -> None:
        """End every label; what is held is ready then."""
        self._waiting.clear()
        self._turn(None)

    def _feed(self, row: Row) -> None:
        t = row[0]
        if self._newest - t > self._max_gap_s:
            self.end()
            return
        if t <= self._newest:
            self._unordered += self._label is not None
            return
        self._newest = t
        while self._waiting and self._waiting[0][0] <= t:
            self._turn(self._waiting.pop(0)[1])
        if self._label is not None:
            self._held.append((self._label, row))
            if len(self._held) > MAX_HELD:
                self._release(self._held[0][1][0])

    def _turn(self, label: str | None) -> None:
        self._label = label
        if label is None:  # an end is final: nothing is held for it
            self.break_off()
        if self.idle:
            self._newest = -inf

    def _release(self, until: float) -> None:
        """Hand out the held samples up to a device time."""
        count = 0
        for label, row in self._held:
            if row[0] > until:
                break
            begins = label != self._stretch
            if begins or not self._parts:
                self._parts.append(Part(label, begins, []))
            self._parts[-1].rows.append(row)
            self._stretch = label
            count += 1
        del self._held[:count]
