"""The streams as which one movement may arrive: rate, jitter, rounding, time stamps, frames."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from stream.wire import Frame
from trainer.rates.movement import Movement, Readings, Times
from trainer.recordings import Recording

JITTER = 0.2  # of the interval, either way
ROUNDING_MS2 = 0.1  # browsers round
FRAMES_S = (0.1, 5.0)
RATES_HZ = (20.0, 30.0, 60.0, 100.0, 200.0)
PAGE_HZ = 60.0  # how often browsers tell a page of motion

# How a phone stamps a sample: with its true time, with whole milliseconds, or by counting.
Stamps = Literal["true", "ms", "counted"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to send a movement; `rate_hz` is None for the samples that were recorded."""

    name: str
    rate_hz: float | None = None
    jittered: bool = False
    rounded: bool = False
    cut: bool = False
    stamps: Stamps = "true"


class Samples(NamedTuple):
    """A whole stream: times (n,) in s, or None where samples are only counted, and m/s² (n, 3)."""

    t: Times | None
    xyz: Readings


VARIANTS: tuple[Variant, ...] = (
    Variant("recorded, in frames", cut=True),
    Variant("recorded, rounded", rounded=True),
    *(Variant(f"{rate:.0f} Hz", rate) for rate in RATES_HZ),
    *(Variant(f"{rate:.0f} Hz, jittered", rate, jittered=True) for rate in RATES_HZ),
    *(
        Variant(f"{rate:.0f} Hz, all at once", rate, jittered=True, rounded=True, cut=True)
        for rate in RATES_HZ
    ),
    Variant("browser's page", PAGE_HZ, rounded=True, cut=True, stamps="ms"),
    Variant("jitter not stamped", PAGE_HZ, jittered=True, stamps="counted"),
)
RECORDED = "recorded"
# What variants are held against: the windows that the trainer cuts, and a phone of the grid's rate.
AGAINST = (RECORDED, f"{RATES_HZ[0]:.0f} Hz")


def recorded(recording: Recording) -> Samples:
    """Return a recording's own samples; those of the grid's rate without times are counted."""
    return Samples(recording.t, recording.xyz)


def sent(
    recording: Recording, movement: Movement, variant: Variant, rng: np.random.Generator
) -> Iterator[Frame]:
    """Yield the frames of a variant; `movement` is the recording's."""
    t, xyz = (
        recorded(recording)
        if variant.rate_hz is None
        else _sampled(movement, variant, variant.rate_hz, rng)
    )
    if variant.rounded:
        xyz = (np.round(xyz / ROUNDING_MS2) * ROUNDING_MS2).astype(np.float32)
    yield from frames(Samples(t, xyz), variant.cut, recording.rate_hz, rng)


def frames(
    samples: Samples, cut: bool, rate_hz: float, rng: np.random.Generator
) -> Iterator[Frame]:
    """Yield one frame, or frames of 0.1 to 5 s; `rate_hz` counts where samples have no times."""
    t, xyz = samples
    clock = np.arange(len(xyz)) / rate_hz if t is None else t
    begin, seq = 0, 0
    while begin < len(xyz):
        until = clock[begin] + rng.uniform(*FRAMES_S)
        end = max(int(np.searchsorted(clock, until)), begin + 1) if cut else len(xyz)
        yield Frame(seq, None if t is None else t[begin:end], None, xyz[begin:end])
        begin, seq = end, seq + 1


def _sampled(
    movement: Movement, variant: Variant, rate_hz: float, rng: np.random.Generator
) -> Samples:
    """Sample a movement; a jittered sample has the value of the time at which it is taken."""
    first, last = movement.t[0], movement.t[-1]
    steady: Times = first + np.arange(int((last - first) * rate_hz) + 1) / rate_hz
    jitter = rng.uniform(-JITTER, JITTER, len(steady)) / rate_hz if variant.jittered else 0.0
    taken = np.clip(steady + jitter, first, last)
    stamps = {"true": taken, "ms": np.round(taken, 3), "counted": steady}
    return Samples(stamps[variant.stamps], movement.sampled(taken, rate_hz))
