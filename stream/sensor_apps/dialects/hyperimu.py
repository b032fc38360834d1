"""HyperIMU (ianovir; Android) by TCP: the phone connects, and sends JSON objects or CSV lines.

Source of the format: ianovir.com/works/mobile/hyperimu/hyperimu-help/ (both formats), the README
of github.com/ianovir/HIMUServer (CSV: order of values, ends of lines), and
github.com/JohannesFriedrich/HypeRIMU (objects follow each other with nothing between them; names
of sensors are those that the phone's makers chose).
"""

import re

import msgspec

from stream.config import Wire
from stream.errors import DeviceError
from stream.malformed import MALFORMED, explain
from stream.sensor_apps.dialects.dialect import Dialect, check_reading, check_time, nobody
from stream.sensor_apps.readings import Kind, Push, Reading, Traits
from stream.wire.text import Vector

TRAITS = Traits(time="ms", units="m/s2", axes="android")  # ms since 1970
MISSING = "No acceleration arrives: in HyperIMU's list of sensors, choose the accelerometer."
# A flat object, or a line of CSV, which ends with CR LF or, if the app is set so, with #.
MESSAGE = re.compile(rb"\{[^}]*+\}|[^{\r\n#]++(?:[\r\n#]|(?=\{))|[\r\n#]")
EARLIEST_MS = 1e11  # 1973; a reading is never so large
CSV_COLUMNS = 4  # time and the first sensor; the others don't count

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_time = msgspec.json.Decoder(float | None)
_vector = msgspec.json.Decoder(Vector)


def read(payload: bytes, limits: Wire) -> Push:
    """Read an object or a line; raises DeviceError, which names what is wrong, for nonsense."""
    text = payload.strip()
    readings, other = _read_json(text, limits) if text[:1] == b"{" else _read_csv(text, limits)
    return Push(device="", session=None, number=0, readings=readings, other=other)


def kind_of(sensor: str) -> Kind | None:
    """Tell what a sensor measures by its name; None where it is no acceleration.

    >>> kind_of("LSM6DSO Accelerometer Non-wakeup"), kind_of("MPL_Linear_Acceleration")
    ('total', 'linear')
    """
    name = sensor.lower()
    if "gravity" in name:
        return "gravity"
    if "accel" not in name:
        return None
    if "linear" in name:
        return "linear"
    return "raw" if "uncal" in name else "total"


def _read_json(text: bytes, limits: Wire) -> tuple[list[Reading], int]:
    try:
        fields = _object.decode(text)
        time = check_time(
            "Timestamp", _time.decode(fields.pop("Timestamp", msgspec.Raw(b"null"))), "ms", "1970"
        )
        fields.pop("op", None)
        found: dict[Kind, str] = {}  # the first of a kind: a phone may have several
        for sensor in fields:
            kind = kind_of(sensor)
            if kind:
                found.setdefault(kind, sensor)
        vectors = {kind: _vector.decode(fields[sensor]) for kind, sensor in found.items()}
    except MALFORMED as error:
        raise DeviceError(f"not an object of HyperIMU: {explain(error)}") from error
    readings = [
        check_reading(found[kind], kind, time, xyz, limits.max_g) for kind, xyz in vectors.items()
    ]
    return readings, len(fields) - len(readings)


def _read_csv(text: bytes, limits: Wire) -> tuple[list[Reading], int]:
    fields = text.rstrip(b"#").split(b",")
    fields = [field for field in fields[:2] if b":" not in field] + fields[2:]  # no MAC address
    try:
        time, x, y, z = (float(field.decode("ascii")) for field in fields[:CSV_COLUMNS])
    except ValueError as error:
        line = text[:40].decode("ascii", "replace")
        raise DeviceError(
            f"not a line of HyperIMU, which begins with the time and x, y, z: {line!r}"
        ) from error
    if not time >= EARLIEST_MS:
        raise DeviceError(f"the line begins with {time:g}: in HyperIMU, switch on the timestamp")
    check_time("timestamp", time, "ms", "1970")
    reading = check_reading("the first sensor", "total", time, (x, y, z), limits.max_g)
    return [reading], len(fields) // 3 - 1


DIALECT = Dialect("hyperimu", read, nobody, TRAITS, MISSING, MESSAGE)
