"""SensorStreamer (Jan Mrázek; Android) by TCP: a JSON object a line.

Source of the format: github.com/yaqwsx/SensorStreamer, JsonPacketComposer.java and readme.md. Its
binary packets name no sensor, and are not read.
"""

import msgspec

from stream.config import Wire
from stream.errors import DeviceError
from stream.malformed import MALFORMED, explain
from stream.sensor_apps.dialects.dialect import Dialect, check_reading, check_time, nobody
from stream.sensor_apps.readings import Kind, Push, Reading, Traits
from stream.wire.text import Vector

KINDS: dict[str, Kind] = {  # of the sensors that count; the app writes them so
    "accelerometer": "total",
    "linearAcceleration": "linear",
    "gravity": "gravity",
}
TRAITS = Traits(time="ns", units="m/s2", axes="android")  # ns since the phone started
MISSING = "No acceleration arrives: in SensorStreamer's packet, include the accelerometer."


class _Sensor(msgspec.Struct):
    value: Vector
    timestamp: float | None = None


_packet = msgspec.json.Decoder(dict[str, msgspec.Raw])
_sensor = msgspec.json.Decoder(_Sensor)


def read(payload: bytes, limits: Wire) -> Push:
    """Read a packet; raises DeviceError, which names what is wrong, for nonsense."""
    try:
        packet = _packet.decode(payload)
        sensors = {name: _sensor.decode(packet[name]) for name in KINDS if name in packet}
    except MALFORMED as error:
        raise DeviceError(f"not a JSON packet of SensorStreamer: {explain(error)}") from error
    readings = [_reading(name, sensor, limits.max_g) for name, sensor in sensors.items()]
    return Push("", None, 0, readings, other=len(packet) - len(sensors))


def _reading(name: str, sensor: _Sensor, max_g: float) -> Reading:
    time = check_time(name, sensor.timestamp, "ns", "the phone started")
    return check_reading(name, KINDS[name], time, sensor.value, max_g)


DIALECT = Dialect("sensor-streamer", read, nobody, TRAITS, MISSING)
