"""phyphox (RWTH Aachen; iOS and Android): answers of the phone's REST interface to `/get`.

Source of the format: github.com/phyphox, docs/remote-interface/openapi.yaml of phyphox-docs,
RemoteServer.java of phyphox-android, accelerometer.phyphox of phyphox-experiments.
"""

from collections.abc import Iterator
from math import inf
from typing import NamedTuple

import msgspec

from stream.config import Wire
from stream.errors import DeviceError
from stream.malformed import MALFORMED, explain
from stream.sensor_apps.dialects.dialect import Dialect, check_reading, nobody
from stream.sensor_apps.readings import Push, Reading, Traits
from stream.wire.limits import MAX_T_S

T, AXES = "acc_time", ("accX", "accY", "accZ")  # buffers of the experiment "Acceleration (with g)"
TRAITS = Traits(time="s", units="m/s2", axes="android")  # since the experiment's start
MISSING = "No acceleration arrives: open the experiment “Acceleration (with g)” in phyphox."
START = "choose Allow remote access in phyphox"
MAX_BYTES = 4 * 2**20  # of an answer: a quarter of an hour at 100 Hz


class _Buffer(msgspec.Struct, rename="camel"):
    buffer: list[float | None]  # None: not a number
    update_mode: str = ""  # single, partial or full


class _Status(msgspec.Struct, rename="camel"):
    measuring: bool
    session: str = ""
    count_down: float = 0  # ms until a timed run begins or ends


class _Message(msgspec.Struct):
    buffer: dict[str, _Buffer]
    status: _Status


class Answer(NamedTuple):
    """What a phone answered."""

    session: str  # another where remote access was allowed anew, or another experiment opened
    measuring: bool
    waiting: bool  # counts down to a timed run
    whole: bool  # holds all that the phone has, whatever was asked for
    newest_t: float | None  # the last value of the time buffer
    readings: list[Reading]  # by time; none where only `newest_t` was asked for


_message = msgspec.json.Decoder(_Message)


def decode(payload: bytes, limits: Wire) -> Answer:
    """Read an answer; raises DeviceError, which names what is wrong, for nonsense."""
    if len(payload) > MAX_BYTES:
        raise DeviceError(f"{len(payload)} bytes: an answer has at most {MAX_BYTES}")
    try:
        message = _message.decode(payload)
    except MALFORMED as error:
        raise DeviceError(f"not an answer of phyphox: {explain(error)}") from error
    buffers, status = message.buffer, message.status
    if T not in buffers:
        raise DeviceError(f"the answer has no {T}. {MISSING}")
    times = buffers[T].buffer
    one = buffers[T].update_mode == "single"
    return Answer(
        session=status.session,
        measuring=status.measuring,
        waiting=status.count_down > 0,
        whole=buffers[T].update_mode == "full",
        newest_t=next((_time(t) for t in reversed(times) if t is not None), None),
        readings=[] if one else list(_readings(buffers, limits.max_g)),
    )


def _time(t: float) -> float:
    if not abs(t) <= MAX_T_S:
        raise DeviceError(f"{T} = {t}: seconds since the experiment's start are needed")
    return t


def _readings(buffers: dict[str, _Buffer], max_g: float) -> Iterator[Reading]:
    """Yield what all four buffers have; one that was read a moment later may be longer."""
    missing = [name for name in AXES if name not in buffers]
    if missing:
        raise DeviceError(f"the answer has no {', '.join(missing)}. {MISSING}")
    columns = [buffers[name].buffer for name in (T, *AXES)]
    for t, x, y, z in zip(*columns, strict=False):
        if t is None or x is None or y is None or z is None:
            continue  # the sensor gave no number
        yield check_reading("acc", "total", _time(t), (x, y, z), max_g)


class Taken(NamedTuple):
    """What follows from an answer."""

    readings: list[Reading]  # not taken before, by time
    anew: bool  # they do not continue what came before: begin a session
    start: bool  # tell the phone to measure: it is met for the first time, and doesn't


class Cursor:
    """Where reading a phone's buffers has come to; outlives connections, so nothing is lost.

    Buffers grow until somebody clears them. What is there on the first contact is left alone.
    """

    def __init__(self) -> None:
        self._session: str | None = None
        self._t: float | None = None  # of the newest sample taken, in s; None: not known yet
        self._look = True  # ask for the newest time only
        self._anew = False  # what comes next doesn't continue what came before
        self._met: str | None = None  # the session that is left alone: it was seen to measure

    def started(self) -> None:
        """Note that the phone was told to measure: whoever pauses it now wants that."""
        self._met = self._session

    def skip(self) -> None:
        """Give up what the phone has until now, as it can't be read."""
        self._t, self._look = None, True

    def query(self) -> dict[str, str]:
        """Return what to ask `/get` for."""
        if self._look or self._t is None:
            return {T: ""}
        if self._t == -inf:
            return dict.fromkeys((T, *AXES), "full")
        return {T: repr(self._t)} | dict.fromkeys(AXES, f"{self._t!r}|{T}")

    def feed(self, answer: Answer) -> Taken:
        """Take the answer to `query`."""
        looked, self._look = self._look, False
        if answer.measuring or answer.waiting:
            self._met = answer.session
        if self._session not in {None, answer.session}:
            self._begin_anew()  # another experiment; this answer's times are compared with the old
            fresh: list[Reading] = []
        elif looked:
            self._place(answer.newest_t)
            fresh = []
        else:
            fresh = self._fresh(answer)
        self._session = answer.session
        anew = self._anew and bool(fresh)
        if fresh:
            self._t, self._anew = max(reading.time for reading in fresh), False
        if not answer.measuring:
            self._anew = True  # the experiment's clock stands still in a pause
        return Taken(fresh, anew, start=answer.session != self._met)

    def _begin_anew(self) -> None:
        self._t, self._anew = -inf, True

    def _place(self, newest_t: float | None) -> None:
        """Find out from the newest time there is whether the buffers were cleared."""
        if self._t is None:
            self._t = -inf if newest_t is None else newest_t
        elif newest_t is None or newest_t < self._t:
            self._begin_anew()

    def _fresh(self, answer: Answer) -> list[Reading]:
        before = -inf if self._t is None else self._t
        if answer.whole and before > (answer.newest_t if answer.newest_t is not None else -inf):
            self._begin_anew()  # after a clear the phone sends everything, unasked
            before = -inf
        fresh = [reading for reading in answer.readings if reading.time > before]
        # A phone that measures and has nothing new was cleared, or its sensor rests: look which.
        self._look = answer.measuring and not fresh and before != -inf
        return fresh


def read(payload: bytes, limits: Wire) -> Push:
    """Read an answer; raises DeviceError, which names what is wrong, for nonsense."""
    return as_push(decode(payload, limits).readings)


def as_push(readings: list[Reading]) -> Push:
    """Word readings as a message."""
    return Push(device="", session=None, number=0, readings=readings)


DIALECT = Dialect("phyphox", read, nobody, TRAITS, MISSING)
