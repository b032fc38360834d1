"""What is wrong with a setting, in one line: its key, its value, and what is allowed."""

import re
from typing import Any

import msgspec

from stream.malformed import explain as in_words

_ALLOWED = {  # for what msgspec can only say as a pattern, or not at all
    "axes": "android or ios is allowed, or nothing",
    "units": "m/s2 or g is allowed, or nothing",
    "app": "sensor-server or phyphox is allowed, or nothing",
    "devices.url": "ws://ADDRESS:PORT (SensorServer) or http://ADDRESS:PORT (phyphox) is allowed",
    "url": "mqtt://user@host:1883 or mqtts://… is allowed, or nothing; the password goes into the "
    "environment",
    "origins": "http://host:port or https://host:port, without a path, are allowed",
    "tokens": "the name of a file is needed",
    "synchronous": "FULL, NORMAL or OFF is allowed",
    "required": "auto, always or never is allowed",
    "base": "a topic without # or + is allowed, not beginning with /",
    "hyperimu": "a port from 0 to 65535 is allowed, or nothing",
    "sensor_streamer": "a port from 0 to 65535 is allowed, or nothing",
    "sensor_logger": "a topic without # or + is allowed, or nothing",
    "client_id": "1 to 64 of A-Z a-z 0-9 _ . -, beginning with a letter or digit, are allowed",
}


def explain(
    message: str,
    raw: dict[str, Any],
    defaults: msgspec.Struct,
    device: type[msgspec.Struct],
    device_id: Any,  # noqa: ANN401  a type with a pattern
) -> str:
    """Put key and value in front of msgspec's message on `raw`, which ends in " - at `$.key`".

    `defaults` are all settings; a table in `devices` is a `device`, and its key a `device_id`.
    """
    what, _, where = message.partition(" - at ")
    keys = re.findall(r"\.(\w+)", where)
    if "[...]" in where or where.startswith("`key`"):  # msgspec does not say which device's
        keys.insert(1, _faulty(raw["devices"], dict[device_id, device]))  # type: ignore[valid-type]
    if where.startswith("`key`"):
        what = "a device's id is 1 to 64 of A-Z a-z 0-9 _ . -, beginning with a letter or digit"
    unknown = re.search(r"unknown field `(.*)`", what, re.DOTALL)
    if unknown:
        of_device = bool(keys) and keys[0] == "devices"
        section = device if of_device else getattr(defaults, keys[0]) if keys else defaults
        keys.append(unknown[1])
        what = f"unknown key, known are {', '.join(section.__struct_fields__)}"
    value: Any = raw
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    by_hand = ("Invalid enum value", "Expected `str` matching", "Expected `str` of length")
    if what.startswith(by_hand) and keys:
        what = _ALLOWED.get(f"{keys[0]}.{keys[-1]}", _ALLOWED.get(keys[-1], what))
    else:
        what = in_words(msgspec.ValidationError(what)).what.replace("an object", "a table")
    name = ".".join(key if key.isprintable() else repr(key) for key in keys)
    if keys[-1:] == ["url"]:
        value = re.sub(r":[^:@/]*@", ":…@", str(value))  # a password is not repeated
    return f"{name} = {value!r}: {what[:1].lower()}{what[1:]}"


def _faulty(devices: dict[str, Any], kind: Any) -> str:  # noqa: ANN401  a type
    """Return the first device whose id or table is refused."""
    for name, table in devices.items():
        try:
            msgspec.convert({name: table}, kind)
        except msgspec.ValidationError:
            return name
    return ""
