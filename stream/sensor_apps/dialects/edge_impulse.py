"""Edge Impulse's data acquisition format as JSON, bare or in the form that its mobile client posts.

Source of the format: docs.edgeimpulse.com, "Data acquisition format"; of the form and its paths:
github.com/edgeimpulse/mobile-client, uploader.ts, messages.ts and sensors/accelerometer.ts. A
message is a whole recording. Its signature is not checked, and labels are not read.
"""

from typing import Any

import msgspec

from stream.config import Wire
from stream.errors import DeviceError
from stream.malformed import MALFORMED, explain
from stream.sensor_apps.dialects.dialect import Dialect, check_reading, check_time, valid_id
from stream.sensor_apps.readings import Push, Reading, Traits
from stream.signal.lowpass import REACH_S
from stream.wire.limits import MAX_RATE_HZ, MIN_RATE_HZ
from stream.wire.text import Vector

AXES = ("accx", "accy", "accz")
TRAITS = Traits(time="s")  # since 1970, or since the recording began
MISSING = "No acceleration arrives: record with a sensor that has accX, accY and accZ."
SMALLER = "record for a shorter time."
MAX_ROWS = 131_072  # more, of a digit or two a number, would hold everybody up when they are fed
PATHS = ("/api/{category}/data",)  # category: training, testing and others


class _Axis(msgspec.Struct):
    name: str


class _Payload(msgspec.Struct):
    interval_ms: float
    sensors: list[_Axis]
    values: msgspec.Raw  # a row an interval, with a number for each of `sensors`
    device_name: str | None = None


class _Protected(msgspec.Struct, frozen=True):
    iat: float | None = None  # s since 1970 when it was made; devices without a clock leave it out


class _Message(msgspec.Struct):
    payload: _Payload
    protected: _Protected = _Protected()


class _Named(msgspec.Struct):
    device_name: Any = None


class _Owner(msgspec.Struct):
    payload: _Named


_message = msgspec.json.Decoder(_Message)
_owner = msgspec.json.Decoder(_Owner)
_rows = msgspec.json.Decoder(list[list[float]])


def read(payload: bytes, limits: Wire) -> Push:
    """Read a recording; raises DeviceError, which names what is wrong, for nonsense."""
    if len(payload) > limits.max_push_bytes:
        raise DeviceError(DIALECT.too_big(limits.max_push_bytes))
    try:
        message = _message.decode(_bare(payload))
    except MALFORMED as error:
        raise DeviceError(f"not Edge Impulse's acquisition format: {explain(error)}") from error
    names = [axis.name.lower() for axis in message.payload.sensors]
    complete = all(axis in names for axis in AXES)
    return Push(
        device=valid_id(message.payload.device_name or ""),
        session=None,
        number=0,
        readings=_readings(message, names, limits) if complete else [],
        other=len(names) - len(AXES) * complete,
    )


def owner(payload: bytes) -> str:
    """Return the device that a message names, nonsense though it may be; empty if it doesn't."""
    try:
        device = _owner.decode(_bare(payload)).payload.device_name
    except MALFORMED:
        return ""
    return valid_id(device) if isinstance(device, str) else ""


def lacks(recording: Push, window_s: float) -> str:
    """Return what keeps a recording from having a single window; empty where nothing does."""
    if not recording.readings:
        return MISSING
    span_s = recording.readings[-1].time - recording.readings[0].time
    if span_s >= window_s + REACH_S:
        return ""
    return (
        f"The recording is {span_s:.1f} s long, and a prediction needs more than {window_s:g} s: "
        f"set the length to {window_s + 2:g} s or more."
    )


def _bare(payload: bytes) -> bytes:
    """Return the JSON; in a form (RFC 7578) it is the part that is named `message`."""
    if not payload.startswith(b"--"):
        return payload
    boundary = payload.partition(b"\r\n")[0]
    for part in (b"\r\n" + payload).split(b"\r\n" + boundary):
        head, _, body = part.partition(b"\r\n\r\n")
        if b'name="message"' in head:
            return body
    return b""


def _readings(message: _Message, names: list[str], limits: Wire) -> list[Reading]:
    step_s = message.payload.interval_ms / 1000
    if not 1 / MAX_RATE_HZ <= step_s <= 1 / MIN_RATE_HZ:
        low, high = 1000 / MAX_RATE_HZ, 1000 / MIN_RATE_HZ
        interval = message.payload.interval_ms
        raise DeviceError(f"interval_ms = {interval:g}: {low:g} to {high:g} ms is allowed")
    vectors = _vectors(message.payload.values, names)
    first = 0.0
    if message.protected.iat is not None:  # of the last row, as the client sends it at once
        first = check_time("iat", message.protected.iat, "s", "1970") - (len(vectors) - 1) * step_s
    return [
        check_reading("acc", "total", first + i * step_s, xyz, limits.max_g)
        for i, xyz in enumerate(vectors)
    ]


def _vectors(values: msgspec.Raw, names: list[str]) -> list[Vector]:
    try:
        rows = _rows.decode(values)
    except MALFORMED as error:
        raise DeviceError(str(explain(error, "values"))) from error
    if len(rows) > MAX_ROWS:
        raise DeviceError(f"values: {len(rows)} rows, at most {MAX_ROWS} are allowed: {SMALLER}")
    x, y, z = (names.index(axis) for axis in AXES)
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise DeviceError(f"values: row {number} has {len(row)} of {len(names)} numbers")
    return [(row[x], row[y], row[z]) for row in rows]


DIALECT = Dialect(
    "edge-impulse",
    read,
    owner,
    TRAITS,
    MISSING,
    smaller=SMALLER,
    paths=PATHS,
    whole=True,
    lacks=lacks,
)
