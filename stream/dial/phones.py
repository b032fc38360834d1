"""Which phones are dialled, and where: addresses checked, and completed where they are bare."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

import msgspec

from stream import config
from stream.errors import ConfigError
from stream.malformed import MALFORMED
from stream.sensor_apps.dialects import phyphox, sensor_server
from stream.sensor_apps.dialects.dialect import Dialect
from stream.sensor_apps.dialects.sensor_server import ACCELEROMETER, PATH, PATH_OF_SEVERAL

APPS = {"ws": sensor_server.DIALECT, "http": phyphox.DIALECT}  # by the address's scheme
EXAMPLES = {
    "sensor-server": f"ws://ADDRESS:8080{PATH}?type={ACCELEROMETER}",
    "phyphox": "http://ADDRESS:8080",
}


class Phone(NamedTuple):
    """A phone that waits to be called."""

    device: str
    dialect: Dialect
    url: str  # complete


def listed(devices: Mapping[str, config.Device]) -> list[Phone]:
    """Return the phones to dial; raises ConfigError, which names key, value and what is allowed."""
    return [_phone(name, device) for name, device in devices.items() if device.url or device.app]


def _phone(name: str, device: config.Device) -> Phone:
    if not device.url:
        raise ConfigError(
            f"devices.{name}.app = {device.app!r}: url is missing, the phone's address, as in "
            f"{EXAMPLES[device.app]}"
        )
    url = urlsplit(device.url)
    dialect = APPS[url.scheme]
    if device.app not in {"", dialect.name}:
        raise _refusal(name, device, device.app, f"app = {device.app!r} is dialled at")
    try:
        complete = _sensor_server(url) if url.scheme == "ws" else _phyphox(url)
    except ValueError as error:
        raise _refusal(name, device, dialect.name, f"{error};") from error
    return Phone(name, dialect, complete)


def _refusal(name: str, device: config.Device, app: str, why: str) -> ConfigError:
    return ConfigError(f"devices.{name}.url = {device.url!r}: {why} {EXAMPLES[app]} is allowed")


def _sensor_server(url: SplitResult) -> str:
    """Complete an address of SensorServer; raises ValueError where it can't be meant."""
    port = _port(url) or sensor_server.PORT
    if url.path in {"", "/"} and not url.query:
        path, query = PATH, f"type={ACCELEROMETER}"
    else:
        path, query = url.path, _query(url)
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    return f"ws://{host}:{port}{path}?{query}"


def _query(url: SplitResult) -> str:
    """Check what sensors a URL asks for; return it encoded."""
    asked = parse_qs(url.query)
    if url.path == PATH:
        if [word.lower() for word in asked.get("type", [])] != [ACCELEROMETER]:
            raise ValueError(f"type = {ACCELEROMETER} is needed")
        return f"type={ACCELEROMETER}"
    if url.path != PATH_OF_SEVERAL:
        raise ValueError(f"the path is {PATH} or {PATH_OF_SEVERAL}")
    try:
        types = msgspec.json.decode(asked.get("types", [""])[0], type=list[str])
    except MALFORMED as error:
        raise ValueError(f'types is a JSON array, as in ["{ACCELEROMETER}","…"]') from error
    if len(types) < 2 or ACCELEROMETER not in {word.lower() for word in types}:
        raise ValueError(f"types has two sensors or more, {ACCELEROMETER} among them")
    return f"types={quote(msgspec.json.encode(types), safe='')}"


def _phyphox(url: SplitResult) -> str:
    """Complete an address of phyphox; raises ValueError where it can't be meant."""
    if url.path not in {"", "/"} or url.query:
        raise ValueError("nothing may follow the port")
    _port(url)
    return f"http://{url.netloc}"


def _port(url: SplitResult) -> int | None:
    """Return the port, if one is given; raises ValueError for one that can't be, or no host."""
    if not url.hostname:
        raise ValueError("the address is missing")
    try:
        url.hostname.encode("idna")  # as looking it up will do
    except UnicodeError as error:
        raise ValueError(f"{url.hostname!r} is no host's name") from error
    return url.port
