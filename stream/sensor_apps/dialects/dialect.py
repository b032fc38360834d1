"""What every dialect has, how names become ids, and what a reading may be. Knows no app."""

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

from stream.config import ID, Wire
from stream.errors import DeviceError
from stream.sensor_apps.readings import SECONDS, Kind, Push, Reading, TimeUnit, Traits
from stream.wire.limits import MAX_T_S, STANDARD_GRAVITY
from stream.wire.text import Vector

_VALID = re.compile(ID)
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")
KEPT = 50  # characters of a name that is no id
LINE = re.compile(rb"[^\n]*+\n")
_WORDS: dict[TimeUnit, str] = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
}


class Dialect(NamedTuple):
    """An app that sends messages."""

    name: str  # last part of its path, as in /v1/sensor-logger
    read: Callable[[bytes, Wire], Push]  # raises DeviceError
    owner: Callable[[bytes], str]  # the device of a message that may be nonsense, or nothing
    traits: Traits
    missing: str  # what to tell somebody whose messages hold no acceleration
    message: re.Pattern[bytes] = LINE  # a message in a stream of them, from its first byte on
    smaller: str = ""  # what to do where a message is too big; of those that are posted
    paths: tuple[str, ...] = ()  # where else web pages post it, whatever their origin
    whole: bool = False  # a message is a recording, and is answered for itself
    # What such a recording lacks for a window of so many s; it can't be made up later.
    lacks: Callable[[Push, float], str] = lambda _push, _window_s: ""

    def too_big(self, limit: int) -> str:
        """Return what to tell somebody whose messages are longer than `limit` bytes."""
        return f"The message is longer than {limit} bytes: {self.smaller}"


def nobody(_payload: bytes) -> str:
    """Return no device: the owner of messages that name none."""
    return ""


def valid_id(name: str) -> str:
    """Make a device or session id of whatever an app calls it: the same for the same name.

    >>> valid_id("62be-97-4f")
    '62be-97-4f'
    >>> valid_id("Ann's phone")
    'Ann-s-phone-727442e6'
    """
    if not name or _VALID.fullmatch(name):
        return name
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    kept = _UNFIT.sub("-", name).strip("-_.")[:KEPT]
    return f"{kept}-{digest}" if kept else digest


def check_time(sensor: str, time: float | None, unit: TimeUnit, since: str) -> float:
    """Return a sensor's time if it is one; raises DeviceError for none, NaN and what is too far."""
    if time is None or not abs(time) * SECONDS[unit] <= MAX_T_S:
        raise DeviceError(f"{sensor}: time = {time}: {_WORDS[unit]} since {since} are needed")
    return time


def check_reading(sensor: str, kind: Kind, time: float, xyz: Vector, max_g: float) -> Reading:
    """Return a reading that some phone can have, in whichever unit; raises DeviceError."""
    if not all(abs(value) <= max_g * STANDARD_GRAVITY for value in xyz):  # NaN is not, either
        raise DeviceError(f"{sensor}: {xyz}: finite and within ±{max_g:g} g is allowed")
    return Reading(kind, time, xyz)
