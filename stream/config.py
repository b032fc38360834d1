"""The configuration: read once, checked, and passed down as small frozen objects.

Each section is read by the file it is named after; `config.toml` shows every key with its
default, its unit and what moving it changes.
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from stream.errors import ConfigError

Positive = Annotated[float, Meta(gt=0, le=1e9)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1, le=10**9)]
Port = Annotated[int, Meta(ge=0, le=65535)]
ID = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"  # what names a device, a session or us, as a pattern
Id = Annotated[str, Meta(pattern=rf"^{ID}\Z")]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of `config.toml`."""


class Signal(Section, frozen=True):
    """The grid that the model was trained on; the artifact's manifest must agree."""

    grid_hz: Positive = 20.0
    window: Count = 200
    hop: Count = 40
    max_gap_s: Positive = 1.0


class Tracker(Section, frozen=True):
    """When predictions become a confirmed activity."""

    min_confidence: Fraction = 0.5
    confirm_sum: Positive = 2.6


class Wire(Section, frozen=True):
    """What one frame may hold."""

    max_frame_bytes: Annotated[int, Meta(ge=1024)] = 1_048_576
    max_samples: Count = 4_096
    max_g: Positive = 40.0


class Hub(Section, frozen=True):
    """Sessions and devices."""

    expires_s: Positive = 600.0
    online_s: Positive = 10.0
    max_bad_frames: Count = 10
    max_devices: Count = 20_000
    max_sessions: Count = 20_000


class Model(Section, frozen=True):
    """Which artifact answers, and on how many threads; empty means the one that ships."""

    artifact: str = ""
    threads: Count = 1


class Batcher(Section, frozen=True):
    """How windows of all devices share batches."""

    max_batch: Count = 256
    max_wait_ms: Annotated[float, Meta(ge=0, le=1e6)] = 10.0
    max_queue: Count = 20_000


class Publish(Section, frozen=True):
    """What listeners may hold."""

    listener_queue: Count = 1_000


class Journal(Section, frozen=True):
    """Where frames are durable before they are acked, and for how long what is kept.

    An empty `path` means a temporary file, gone with the service.
    """

    path: str = "gaitway.db"
    synchronous: Literal["FULL", "NORMAL", "OFF"] = "FULL"
    commit_ms: Annotated[float, Meta(ge=1, le=100)] = 20.0
    max_queue: Count = 20_000
    keep_frames_s: Positive = 60.0
    keep_predictions_h: Positive = 1.0
    keep_events_days: Positive = 30.0


class Server(Section, frozen=True):
    """Where HTTP and WebSocket listen."""

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Port = 8765


class Mqtt(Section, frozen=True):
    """The broker; an empty `url` means no MQTT."""

    url: Annotated[str, Meta(pattern=r"^$|^mqtts?://[^/\s]+$")] = ""
    base: Annotated[str, Meta(pattern=r"^[^/#+\s][^#+\s]*$")] = "gaitway"
    sensor_logger: Annotated[str, Meta(pattern=r"^([^#+\s]+)?\Z")] = "sensor-logger"
    client_id: Id = "gaitway"
    password_env: str = "GAITWAY_MQTT_PASSWORD"  # noqa: S105  the variable's name, not a secret
    max_queue: Count = 10_000
    max_inflight: Annotated[int, Meta(ge=1, le=65535)] = 200
    reconnect_max_s: Positive = 30.0


class Dial(Section, frozen=True):
    """Phones that are servers themselves: how they are called."""

    reconnect_max_s: Positive = 30.0
    poll_s: Annotated[float, Meta(ge=0.01, le=60)] = 0.5


class Device(Section, frozen=True):
    """What one device has of its own; where a key is empty, what holds for everybody does.

    `axes` and `units` override what the device's messages say, or what is found out about them.
    `url` is where a phone is dialled that waits for a call, and `app` the app that answers there.
    """

    artifact: str = ""
    axes: Literal["", "android", "ios"] = ""
    units: Literal["", "m/s2", "g"] = ""
    app: Literal["", "sensor-server", "phyphox"] = ""
    url: Annotated[str, Meta(pattern=r"^$|^(ws|http)://[^/?#\s]+")] = ""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that an operator can set."""

    signal: Signal = Signal()
    wire: Wire = Wire()
    tracker: Tracker = Tracker()
    hub: Hub = Hub()
    model: Model = Model()
    batcher: Batcher = Batcher()
    publish: Publish = Publish()
    journal: Journal = Journal()
    server: Server = Server()
    mqtt: Mqtt = Mqtt()
    dial: Dial = Dial()
    devices: dict[Id, Device] = {}


def load(path: Path) -> Config:
    """Read and check `path`; raises ConfigError with one line that names key and value."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    return check(raw, str(path))


def check(raw: dict[str, Any], source: str) -> Config:
    """Turn plain tables into a Config; `source` is named in the ConfigError."""
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{source}: {_explain(str(error), raw)}") from error
    if config.signal.hop > config.signal.window:
        raise ConfigError(
            f"{source}: signal.hop = {config.signal.hop}: at most signal.window = "
            f"{config.signal.window}, or samples between windows would be skipped"
        )
    return config


def _explain(message: str, raw: dict[str, Any]) -> str:
    """Put key and value in front of msgspec's message, which ends in " - at `$.key`"."""
    what, _, where = message.partition(" - at ")
    keys = re.findall(r"\.(\w+)", where)
    if "[...]" in where or where.startswith("`key`"):  # msgspec does not say which device's
        keys.insert(1, _faulty_device(raw["devices"]))
    if where.startswith("`key`"):
        what = "a device's id is 1 to 64 of A-Z a-z 0-9 _ . -, beginning with a letter or digit"
    unknown = re.search(r"unknown field `(.*)`", what, re.DOTALL)
    if unknown:
        section = _section(keys)
        keys.append(unknown[1])
        what = f"unknown key, known are {', '.join(section.__struct_fields__)}"
    value: Any = raw
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    if what.startswith(("Invalid enum value", "Expected `str` matching")) and keys:
        what = _ALLOWED.get(f"{keys[0]}.{keys[-1]}", _ALLOWED.get(keys[-1], what))
    what = what.replace("`object`", "`table`")
    name = ".".join(key if key.isprintable() else repr(key) for key in keys)
    return f"{name} = {value!r}: {what[:1].lower()}{what[1:]}"


_ALLOWED = {  # for what msgspec can only say as a pattern, or not at all
    "axes": "android or ios is allowed, or nothing",
    "units": "m/s2 or g is allowed, or nothing",
    "app": "sensor-server or phyphox is allowed, or nothing",
    "devices.url": "ws://ADDRESS:PORT (SensorServer) or http://ADDRESS:PORT (phyphox) is allowed",
    "url": "mqtt://user@host:1883 or mqtts://… is allowed, or nothing",
    "base": "a topic without # or + is allowed, not beginning with /",
    "sensor_logger": "a topic without # or + is allowed, or nothing",
    "client_id": "1 to 64 of A-Z a-z 0-9 _ . -, beginning with a letter or digit, are allowed",
}


def _section(keys: list[str]) -> Any:  # noqa: ANN401  whichever table it is
    if not keys:
        return Config()
    return Device() if keys[0] == "devices" else getattr(Config(), keys[0])


def _faulty_device(devices: dict[str, Any]) -> str:
    """Return the first device whose id or table is refused."""
    for name, table in devices.items():
        try:
            msgspec.convert({name: table}, dict[Id, Device])
        except msgspec.ValidationError:
            return name
    return ""
