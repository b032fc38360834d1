"""SensorServer (Umer Farooq; Android): one message a reading, over the WebSocket that it serves.

Source of the format: github.com/umer0586/SensorServer, README.md and SensorWebSocketServer.kt.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from stream.config import Wire
from stream.errors import DeviceError
from stream.malformed import MALFORMED, explain
from stream.sensor_apps.dialects.dialect import Dialect, check_reading, nobody
from stream.sensor_apps.readings import Push, Reading, Traits

ACCELEROMETER = "android.sensor.accelerometer"
PATH, PATH_OF_SEVERAL = "/sensor/connect", "/sensors/connect"
PORT = 8080
TRAITS = Traits(time="ns", units="m/s2", axes="android")  # since boot
MISSING = (
    f"No acceleration arrives, only other sensors do: see in the app that {ACCELEROMETER} is "
    "measured, or ask for it alone by a url without types."
)
START = "press Start in SensorServer"
_URL = "correct the url of this device"
CLOSED = {  # its close codes, and what is to be done
    4001: "the phone has no such sensor: correct the url of this device, or use another phone",
    4002: f"the app doesn't know this path: {_URL}, {PATH} or {PATH_OF_SEVERAL} is needed",
    4003: f"the url lacks the sensor: {_URL}, it must end in ?type= or ?types=",
    4004: "the server was stopped in the app: press Start there",
    4005: "the connection was closed in the app, under Connections: stop dialling, or start anew",
    4006: f'types is no JSON array: {_URL}, as in types=["{ACCELEROMETER}","…"]',
    4007: f"types names one sensor, the app wants two or more: {_URL}, or ask by type=",
    4008: f"the url names no sensor: {_URL}, {ACCELEROMETER} is needed",
    4009: "the phone denies the app this sensor: allow it in Android's settings of the app",
}


class _Message(msgspec.Struct):
    values: msgspec.Raw  # differ by sensor, and only acceleration's are looked at
    timestamp: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]  # ns since boot, 64 bits
    type: str = ACCELEROMETER  # stands there only where several sensors were asked for


_message = msgspec.json.Decoder(_Message)
_vector = msgspec.json.Decoder(tuple[float, float, float])


def read(payload: bytes, limits: Wire) -> Push:
    """Read a message; raises DeviceError, which names what is wrong, for nonsense."""
    if len(payload) > limits.max_frame_bytes:
        raise DeviceError(f"{len(payload)} bytes: a message has at most {limits.max_frame_bytes}")
    try:
        message = _message.decode(payload)
    except MALFORMED as error:
        raise DeviceError(f"not a message of SensorServer: {explain(error)}") from error
    known = message.type.lower() == ACCELEROMETER
    readings = [_reading(message, limits.max_g)] if known else []
    return Push(device="", session=None, number=0, readings=readings, other=not known)


def _reading(message: _Message, max_g: float) -> Reading:
    try:
        xyz = _vector.decode(message.values)
    except MALFORMED as error:
        raise DeviceError(f"values are not x, y, z: {explain(error)}") from error
    return check_reading("accelerometer", "total", float(message.timestamp), xyz, max_g)


DIALECT = Dialect("sensor-server", read, nobody, TRAITS, MISSING)
