"""The configuration: read once, checked, and passed down as small frozen objects.

Each section is named for what reads it; `config.toml` shows every key with its default, its unit
and what moving it changes.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from stream.config_words import explain
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
    """What one frame, and one message of an app, may hold."""

    max_frame_bytes: Annotated[int, Meta(ge=1024)] = 1_048_576
    max_push_bytes: Annotated[int, Meta(ge=1024)] = 4_194_304
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
    """Where frames are durable before they are acked; an empty `path` means a temporary file."""

    path: str = "gaitway.db"
    synchronous: Literal["FULL", "NORMAL", "OFF"] = "FULL"
    commit_ms: Annotated[float, Meta(ge=1, le=100)] = 20.0
    max_queue: Count = 20_000
    keep_frames_s: Positive = 60.0
    keep_predictions_h: Positive = 1.0
    keep_events_days: Positive = 30.0


class Record(Section, frozen=True):
    """Where labelled stretches are written; empty means that nothing is recorded."""

    folder: str = ""


class Server(Section, frozen=True):
    """Where HTTP and WebSocket listen, and with what certificate."""

    host: str = ""
    port: Port = 8765
    https: bool = False
    cert: str = ""
    key: str = ""

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken, and nothing else."""
        return self.https or bool(self.cert)

    @property
    def address(self) -> str:
        """Where to listen: `host`, or else this machine only, unless phones are to come by TLS."""
        return self.host or ("0.0.0.0" if self.secure else "127.0.0.1")  # noqa: S104  asked for


class Tcp(Section, frozen=True):
    """A port for each app that connects by TCP; empty means none."""

    hyperimu: Port | Literal[""] = ""
    sensor_streamer: Port | Literal[""] = ""
    max_connections: Count = 1_000
    max_message_bytes: Annotated[int, Meta(ge=1024)] = 16_384


class Auth(Section, frozen=True):
    """Who may come in; `auto` asks for tokens as soon as the file is there."""

    tokens: Annotated[str, Meta(min_length=1)] = "tokens.json"
    required: Literal["auto", "always", "never"] = "auto"
    insecure: bool = False
    origins: tuple[Annotated[str, Meta(pattern=r"^https?://[^/\s]+\Z")], ...] = ()


class Limits(Section, frozen=True):
    """How much one device, and one address, may send."""

    exempt: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    burst_s: Positive = 100.0
    device_frames_per_s: Positive = 100.0
    device_bytes_per_s: Positive = 1_000_000.0
    device_samples_per_s: Positive = 5_000.0
    address_frames_per_s: Positive = 1_000.0
    address_bytes_per_s: Positive = 10_000_000.0
    address_samples_per_s: Positive = 50_000.0
    address_connections: Count = 500
    failed_logins_per_min: Positive = 20.0
    max_known: Count = 20_000


class Mqtt(Section, frozen=True):
    """The broker; an empty `url` means no MQTT."""

    url: Annotated[str, Meta(pattern=r"^$|^mqtts?://([^/\s:@]+@)?[^/\s@]+\Z")] = ""
    base: Annotated[str, Meta(pattern=r"^[^/#+\s][^#+\s]*$")] = "gaitway"
    sensor_logger: Annotated[str, Meta(pattern=r"^([^#+\s]+)?\Z")] = "sensor-logger"
    client_id: Id = "gaitway"
    password_env: str = "GAITWAY_MQTT_PASSWORD"  # noqa: S105  the variable's name, not a secret
    ca: str = ""
    cert: str = ""
    key: str = ""
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
    record: Record = Record()
    server: Server = Server()
    auth: Auth = Auth()
    limits: Limits = Limits()
    tcp: Tcp = Tcp()
    mqtt: Mqtt = Mqtt()
    dial: Dial = Dial()
    devices: dict[Id, Device] = {}


def load_found(path: Path | None) -> Config:
    """Load the file that is named, else ./config.toml, else the defaults."""
    default = Path("config.toml")
    found = path or (default if default.is_file() else None)
    return load(found) if found else Config()


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
        raise ConfigError(f"{source}: {explain(str(error), raw, Config(), Device, Id)}") from error
    if config.signal.hop > config.signal.window:
        raise ConfigError(
            f"{source}: signal.hop = {config.signal.hop}: at most signal.window = "
            f"{config.signal.window}, or samples between windows would be skipped"
        )
    server = config.server
    if bool(server.cert) != bool(server.key):
        raise ConfigError(
            f"{source}: server.cert = {server.cert!r}, server.key = {server.key!r}: "
            "both files are needed, or neither"
        )
    return config
