"""Sensor Logger (Kelvin Choi; iOS and Android), by HTTP push and by MQTT: the same message.

Source of the format: github.com/tszheichoi/awesome-sensor-logger, PUSHING.md, UNITS.md,
COORDINATES.md and CROSSPLATFORM.md.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from stream.config import Wire
from stream.errors import DeviceError
from stream.malformed import MALFORMED, explain
from stream.sensor_apps.dialects.dialect import Dialect, check_reading, check_time, valid_id
from stream.sensor_apps.readings import Kind, Mark, Push, Reading, Traits

KINDS: dict[str, Kind] = {  # of the sensors that count; the app writes them so
    "totalacceleration": "total",
    "accelerometeruncalibrated": "raw",
    "accelerometer": "linear",
    "gravity": "gravity",
}
TRAITS = Traits(
    time="ns",  # since 1970
    marks=(
        Mark("total", None, "android", "only Android sends totalacceleration"),
        Mark("raw", "g", "ios", "only iOS sends accelerometeruncalibrated in g"),
        Mark("raw", "m/s2", "android", "in m/s² accelerometeruncalibrated has Android's"),
    ),
)
MISSING = "No acceleration arrives: in Sensor Logger, switch on Accelerometer and Gravity."
SMALLER = "set a shorter batch period in Sensor Logger, or record fewer sensors."


class _Sensor(msgspec.Struct):
    """One entry of `payload`; `values` differ by sensor, and only acceleration's are looked at."""

    name: str
    time: float | None = None  # ns since 1970
    values: msgspec.Raw = msgspec.Raw()


class _Message(msgspec.Struct, rename="camel"):
    payload: list[_Sensor]
    message_id: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] = 0  # 64 bits, as the journal has
    session_id: str = ""
    device_id: str = ""


class _Owner(msgspec.Struct, rename="camel"):
    device_id: Any = None


class _Named(msgspec.Struct):
    name: Any = None


class _Attempt(msgspec.Struct):
    payload: list[_Named] = []


class _Vector(msgspec.Struct):
    x: float
    y: float
    z: float


_message = msgspec.json.Decoder(_Message)
_owner = msgspec.json.Decoder(_Owner)
_attempt = msgspec.json.Decoder(_Attempt)
_vector = msgspec.json.Decoder(_Vector)


def read(payload: bytes, limits: Wire) -> Push:
    """Read a message; raises DeviceError, which names what is wrong, for nonsense."""
    if len(payload) > limits.max_push_bytes:
        raise DeviceError(DIALECT.too_big(limits.max_push_bytes))
    if _is_test(payload):
        return Push("", None, 0, [], test=True)
    try:
        message = _message.decode(payload)
    except MALFORMED as error:
        raise DeviceError(f"not a message of Sensor Logger: {explain(error)}") from error
    sensors = [sensor for sensor in message.payload if sensor.name in KINDS]
    return Push(
        device=valid_id(message.device_id),
        session=valid_id(message.session_id) or None,
        number=message.message_id,
        readings=[_reading(sensor, limits.max_g) for sensor in sensors],
        other=len(message.payload) - len(sensors),
    )


def _is_test(payload: bytes) -> bool:
    """Whether the app tries if anyone is there; then nothing else of it has to make sense."""
    if b'"test"' not in payload:  # nearly always
        return False
    try:
        named = _attempt.decode(payload).payload
    except MALFORMED:
        return False
    return bool(named) and named[0].name == "test"


def owner(payload: bytes) -> str:
    """Return the device that a message names, nonsense though it may be; empty if it doesn't."""
    try:
        device = _owner.decode(payload).device_id
    except MALFORMED:
        return ""
    return valid_id(device) if isinstance(device, str) else ""


def _reading(sensor: _Sensor, max_g: float) -> Reading:
    time = check_time(sensor.name, sensor.time, "ns", "1970")
    try:
        vector = _vector.decode(sensor.values)
    except MALFORMED as error:
        raise DeviceError(f"{sensor.name}: values are not x, y, z: {explain(error)}") from error
    xyz = (vector.x, vector.y, vector.z)
    return check_reading(sensor.name, KINDS[sensor.name], time, xyz, max_g)


DIALECT = Dialect("sensor-logger", read, owner, TRAITS, MISSING, smaller=SMALLER)
