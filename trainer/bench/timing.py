"""Times contenders side by side: interleaved rounds, medians, ratios.

It knows neither models nor runtimes, and is handed its clock.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

Windows = NDArray[np.float32]  # (batch, time, 3)
Clock = Callable[[], float]  # s

WARM_UPS = 3  # TensorFlow traces at the first call, and still optimises at the second
SHORTEST_TURN_S = 1e-6  # where the clock saw no time pass


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """A model in a runtime; `classify` answers for windows (batch, time, 3)."""

    model: str
    runtime: str
    classify: Callable[[Windows], object]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many turns everyone has, and how long a turn is to last."""

    rounds: int
    turn_s: float = 0.05  # many calls of the quick ones, one of the slow

    def steps(self, entries: int) -> int:
        """Return how often `measure` reports for so many pairs of contender and batch."""
        return entries * (self.rounds + 1)


class Spread(msgspec.Struct, frozen=True):
    """The quartiles of a figure over the rounds."""

    low: float  # a quarter of the rounds is below
    median: float
    high: float  # a quarter of the rounds is above


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """What one contender did at one batch size."""

    model: str
    runtime: str
    batch: int  # windows
    windows_per_s: Spread
    ms_per_batch: Spread
    ratio: float | None  # of the median windows/s to the reference's, at this batch size


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A contender at a batch size; `seconds` a call, one for each round."""

    contender: Contender
    windows: Windows
    calls: int  # in a turn
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return float(np.median(self.seconds))


def measure(
    contenders: Sequence[Contender],
    batches: Sequence[Windows],
    plan: Plan,
    clock: Clock,
    *,
    reference: Contender | None = None,
    step: Callable[[], None] = lambda: None,
) -> list[Speed]:
    """Return the speed of each contender at each batch, by batch, then in the order given.

    In a round everyone has one turn at each batch, so that a machine that is busy for a while
    slows all of them. Ratios are to `reference`, one of the contenders. `step` is called after
    each turn, and after each warming up.
    """
    entries = []
    for windows in batches:
        for contender in contenders:
            entries.append(_warmed(contender, windows, plan, clock))
            step()
    for _ in range(plan.rounds):
        for entry in entries:
            entry.seconds.append(_turn(entry, clock))
            step()
    return [_speed(entry, _rival(entry, entries, reference)) for entry in entries]


def _warmed(contender: Contender, windows: Windows, plan: Plan, clock: Clock) -> _Entry:
    """Call a few times, untimed, and see how many calls make a turn."""
    for _ in range(WARM_UPS):
        contender.classify(windows)
    one = _turn(_Entry(contender, windows, 1), clock)
    return _Entry(contender, windows, max(math.ceil(plan.turn_s / one), 1))


def _turn(entry: _Entry, clock: Clock) -> float:
    """Return seconds a call."""
    classify, windows = entry.contender.classify, entry.windows
    began = clock()
    for _ in range(entry.calls):
        classify(windows)
    return max(clock() - began, SHORTEST_TURN_S) / entry.calls


def _rival(entry: _Entry, entries: list[_Entry], reference: Contender | None) -> _Entry | None:
    """Return the reference at the same batch."""
    same = (e for e in entries if e.contender is reference and e.windows is entry.windows)
    return next(same, None)


def _speed(entry: _Entry, rival: _Entry | None) -> Speed:
    low, median, high = np.percentile(entry.seconds, [25, 50, 75]).tolist()
    batch = len(entry.windows)
    return Speed(
        model=entry.contender.model,
        runtime=entry.contender.runtime,
        batch=batch,
        windows_per_s=Spread(batch / high, batch / median, batch / low),
        ms_per_batch=Spread(low * 1e3, median * 1e3, high * 1e3),
        ratio=None if rival is None else rival.median / entry.median,
    )
