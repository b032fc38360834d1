"""The words for what sensor apps send: one sensor's readings, and what an app says of them.

Nothing here does anything; `normalise` turns readings into frames.
"""

from typing import Literal, NamedTuple

from stream.wire.text import Axes, Units

Kind = Literal["total", "raw", "linear", "gravity"]
TimeUnit = Literal["s", "ms", "us", "ns"]
SECONDS: dict[TimeUnit, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


class Reading(NamedTuple):
    """One sensor's reading, as the app wrote it.

    `total` and `raw` contain gravity, `linear` doesn't, `gravity` is nothing else; `raw` is what
    the chip says before the phone's own calibration.
    """

    kind: Kind
    time: float  # since boot or since 1970, in the app's unit
    xyz: tuple[float, float, float]  # in the app's unit and signs


class Mark(NamedTuple):
    """What tells whose signs an app's readings have: that a kind comes, in these units."""

    kind: Kind
    units: Units | None  # None: whichever
    axes: Axes
    why: str  # ends the sentence "Taken as g with iOS signs: …"


class Traits(NamedTuple):
    """What is known of all messages of an app; None where they don't say."""

    time: TimeUnit | None = None
    units: Units | None = None
    axes: Axes | None = None
    marks: tuple[Mark, ...] = ()  # the first that fits counts


class Push(NamedTuple):
    """One message of a sensor app."""

    device: str  # a valid id, or empty where the app doesn't say
    session: str | None
    number: int  # counts the session's messages
    readings: list[Reading]  # of acceleration and gravity; each kind in the order of its samples
    other: int = 0  # readings of other sensors
    test: bool = False  # the app tries whether anyone is there
