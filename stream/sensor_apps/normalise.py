"""Readings of any sensor app become frames: m/s², gravity included, Android's sign, seconds.

What the app doesn't say is decided once, from the session's first seconds, and kept; until then
readings are held back. Every rule looks at the readings in their order alone, so how they were cut
into messages never changes what comes out.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream.sensor_apps.join import GravityJoin, JoinState, Times, Vectors
from stream.sensor_apps.readings import SECONDS, Kind, Mark, Reading, TimeUnit, Traits
from stream.wire import Frame, Told, taken_as
from stream.wire.limits import STANDARD_GRAVITY, check_samples
from stream.wire.text import Axes, Units

DECIDE_S = 2.0  # what is decided is decided on the readings of so long
MIN_READINGS = 8  # and on no fewer than these
MAX_HELD = 4096  # readings held back at most; then what there is decides
TRY_EVERY = 16  # readings; looking for the unit of time after each would be slow
STEPS = 8  # intervals that decide the unit of time
LONGEST_STEP_S = 0.8  # between samples; a thousandth of it is the shortest
LEAST_G, MOST_G = 0.5, 3.13  # √9.8 lies in the middle of 1 and 9.8; below 0.5 gravity is missing
PREFERRED: tuple[Kind, ...] = ("total", "linear", "raw")


class Decision(NamedTuple):
    """What the first seconds said; it never changes afterwards."""

    kind: Kind
    gravity_beside: bool
    scale: float  # s in the app's unit of time
    units: Units
    size: float  # median length of what contains gravity, in the app's unit
    mark: Mark | None  # what told the sign; None: nothing did


class NormaliserState(msgspec.Struct, array_like=True, frozen=True):
    """All that a normaliser remembers."""

    scale: float
    held: list[Reading]
    decision: Decision | None
    join: JoinState


def time_unit(times: Sequence[float]) -> TimeUnit | None:
    """Tell the unit of one sensor's times by its usual interval; None while they are too few.

    Seconds since when doesn't matter: a phone that samples at 1.25 to 1250 Hz has intervals of
    0.8 ms to 0.8 s, and in no two units do these overlap.

    >>> time_unit([1700000000000 + 10 * n for n in range(9)])
    'ms'
    """
    steps = np.diff(np.unique(np.asarray(times, np.float64)))
    if len(steps) < STEPS:
        return None
    step = float(np.median(steps))
    fitting = (unit for unit, seconds in SECONDS.items() if step * seconds < LONGEST_STEP_S)
    return next(fitting, "ns")


class Normaliser:
    """Turns the readings of one session into frames; knows no message and no connection."""

    def __init__(self, device: str, traits: Traits, max_g: float) -> None:
        self.device = device
        self._traits = traits
        self._max_g = max_g
        self._scale = SECONDS[traits.time] if traits.time else 0.0  # 0: not known yet
        self._held: list[Reading] = []
        self._decision: Decision | None = None
        self._join = GravityJoin()

    def save(self) -> NormaliserState:
        """Return all that it remembers, for `restore`."""
        return NormaliserState(self._scale, list(self._held), self._decision, self._join.save())

    def restore(self, state: NormaliserState) -> None:
        """Go on where `state` was saved."""
        self._scale, self._held, self._decision = state.scale, list(state.held), state.decision
        self._join.restore(state.join)

    def feed(self, readings: Iterable[Reading], told: Told) -> Frame | None:
        """Take readings in order of arrival; return the samples that became known, if any did.

        Raises DeviceError where one is beyond `max_g`, now that its unit is known; the samples
        of this call are then dropped.
        """
        ready = list(readings)
        if self._decision is None:
            ready = self._hold(ready)
        if self._decision is None or not ready:
            return None
        t, xyz = self._samples(self._decision, ready)
        return self._frame(self._decision, t, xyz, told) if len(t) else None

    @property
    def gravity_behind_s(self) -> float:
        """For how long readings have waited for gravity that comes apart from them."""
        return self._join.behind_s

    @property
    def lost(self) -> int:
        """Readings that were dropped because no gravity came near them."""
        return self._join.lost

    def _hold(self, readings: list[Reading]) -> list[Reading]:
        """Hold readings until enough is there to decide; then return all that was held."""
        for i, reading in enumerate(readings):
            self._held.append(reading)
            if self._enough():
                ready = [*self._held, *readings[i + 1 :]]
                self._decision = _decide(self._held, self._scale, self._traits)
                self._held = []
                return ready
        return []

    def _enough(self) -> bool:
        held = self._held
        if len(held) < MIN_READINGS:
            return False
        if not self._scale and len(held) % TRY_EVERY == 0:
            unit = time_unit([r.time for r in held if r.kind == held[0].kind])
            self._scale = SECONDS[unit] if unit else 0.0
        long = self._scale and abs(held[-1].time - held[0].time) * self._scale >= DECIDE_S
        if not long and len(held) < MAX_HELD:
            return False
        if all(reading.kind == "gravity" for reading in held):
            held.clear()  # gravity alone is nothing
        return bool(held)

    def _samples(self, decision: Decision, readings: list[Reading]) -> tuple[Times, Vectors]:
        """Return times (n,) in s and vectors (n, 3) in the app's unit and signs."""
        t, xyz = _of_kind(readings, decision.kind, decision.scale)
        if not decision.gravity_beside:
            return t, xyz
        return self._join.feed(t, xyz, *_of_kind(readings, "gravity", decision.scale))

    def _frame(self, decision: Decision, t: Times, xyz: Vectors, told: Told) -> Frame:
        units = told.units or self._traits.units or decision.units
        axes = told.axes or self._traits.axes or (decision.mark.axes if decision.mark else None)
        total = xyz * STANDARD_GRAVITY if units == "g" else xyz
        check_samples(total, self._max_g, None)
        upright = (-total if axes == "ios" else total).astype(np.float32)
        note = self._note(decision, units, axes, told)
        return Frame(None, t, None, upright, axes=axes or "android", note=note)

    def _note(self, decision: Decision, units: Units, axes: Axes | None, told: Told) -> str:
        """Say in one sentence what was decided and why, or what is still undetermined."""
        if axes is None:
            return (
                "The sign is undetermined: lay the phone face up for 5 s and POST to "
                f"/v1/devices/{self.device}/face-up, or set its axes in config.toml."
            )
        why = [told.why] if told.why else []
        if not told.axes and decision.mark and not self._traits.axes:
            why.append(decision.mark.why)
        weighed = decision.kind != "linear" or decision.gravity_beside
        if weighed and not told.units and not self._traits.units:
            why.append(f"its length at rest is {decision.size:.1f}")
        return taken_as(units, axes, " and ".join(why) or "this app always sends them so")


def in_order(readings: Iterable[Reading]) -> list[Reading]:
    """Merge the sensors of one message by time; those of one sensor stay in their order.

    Apps may write them sensor by sensor, or alternating: it comes out the same.
    """
    readings = list(readings)
    if len({reading.kind for reading in readings}) < 2:  # nothing to merge, and often very many
        return readings
    newest: dict[Kind, float] = {}
    keyed = []
    for reading in readings:
        newest[reading.kind] = max(reading.time, newest.get(reading.kind, reading.time))
        keyed.append((newest[reading.kind], reading.kind, reading))
    keyed.sort(key=lambda entry: entry[:2])
    return [reading for _, _, reading in keyed]


def _decide(held: list[Reading], scale: float, traits: Traits) -> Decision:
    seen = {reading.kind for reading in held}
    beside = "linear" in seen and "gravity" in seen
    usable = [kind for kind in PREFERRED if kind in seen and (kind != "linear" or beside)]
    kind = usable[0] if usable else "linear"
    sizes = {kind: _median_size(held, kind) for kind in seen}
    units = {kind: _unit_of(size) for kind, size in sizes.items()}
    weighed: Kind = "gravity" if kind == "linear" and beside else kind
    mark = next((mark for mark in traits.marks if _fits(mark, units)), None)
    bare = kind == "linear" and not beside  # without gravity its length says nothing
    unit: Units = "m/s2" if bare else units[weighed]
    return Decision(kind, kind == "linear" and beside, scale or 1.0, unit, sizes[weighed], mark)


def _fits(mark: Mark, units: dict[Kind, Units]) -> bool:
    return mark.kind in units and mark.units in {None, units[mark.kind]}


def _unit_of(size: float) -> Units:
    return "g" if LEAST_G <= size < MOST_G else "m/s2"


def _median_size(readings: list[Reading], kind: Kind) -> float:
    xyz = np.array([reading.xyz for reading in readings if reading.kind == kind], np.float64)
    return float(np.median(np.linalg.norm(xyz, axis=1)))


def _of_kind(readings: list[Reading], kind: Kind, scale: float) -> tuple[Times, Vectors]:
    chosen = [reading for reading in readings if reading.kind == kind]
    t = np.array([reading.time for reading in chosen], np.float64) * scale
    xyz: NDArray[np.float64] = np.array([reading.xyz for reading in chosen], np.float64)
    return t, xyz.reshape(-1, 3)
