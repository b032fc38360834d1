"""The configuration: one line for what is wrong, and a config.toml that shows every default."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from stream import config, options
from stream.config import Config, Server
from stream.errors import ConfigError

SECTIONS = [name for name in Config.__struct_fields__ if name != "devices"]
SHOWN = Path(__file__).parents[2] / "config.toml"


def refused(text: str | bytes, folder: Path) -> str:
    """Load a file that must be refused; return the message."""
    path = folder / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as error:
        config.load(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "config.toml").touch()
    assert config.load(tmp_path / "config.toml") == Config()


def test_what_is_set_is_set(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[tracker]\nmin_confidence = 0.7\n[hub]\nexpires_s = 60\n[mqtt]\nurl = "mqtt://b"'
    )
    loaded = config.load(path)
    assert loaded.tracker == config.Tracker(min_confidence=0.7)
    assert loaded.hub.expires_s == 60.0
    assert loaded.mqtt.url == "mqtt://b"
    assert loaded.signal == Config().signal


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[hub]\nexpires = 60", "hub.expires = 60: unknown key, known are expires_s, online_s"),
        ("[hubb]\nx = 1", "hubb = {'x': 1}: unknown key, known are signal, wire, tracker, hub"),
        ("[hub]\nx-y = 1", "hub.x-y = 1: unknown key, known are"),
        ('[hub]\n"a\\nb" = 1', r"hub.'a\nb' = 1: unknown key, known are"),
        ("hub = 3", "hub = 3: a table is needed, not a number"),
        ("[hub]\nexpires_s = -1", "hub.expires_s = -1: a number above 0 is needed"),
        ("[hub]\nexpires_s = 0", "hub.expires_s = 0: a number above 0 is needed"),
        ("[hub]\nexpires_s = nan", "hub.expires_s = nan: a number above 0 is needed"),
        (
            "[hub]\nexpires_s = inf",
            "hub.expires_s = inf: a number of at most 1000000000 is needed",
        ),
        ('[hub]\nexpires_s = "60"', "hub.expires_s = '60': a number is needed, not text"),
        ("[hub]\nexpires_s = [60]", "hub.expires_s = [60]: a number is needed, not a list"),
        (
            "[hub]\nmax_devices = 1.5",
            "hub.max_devices = 1.5: a whole number is needed, not a fraction",
        ),
        (
            '[devices.a]\nurl = "b:1"',
            "devices.a.url = 'b:1': ws://ADDRESS:PORT (SensorServer) or http:",
        ),
        ('[devices.a]\napp = "x"', "devices.a.app = 'x': sensor-server or phyphox is allowed"),
        ("[dial]\npoll_s = 0", "dial.poll_s = 0: a number of at least 0.01 is needed"),
        (
            "[hub]\nmax_devices = true",
            "hub.max_devices = True: a whole number is needed, not true or false",
        ),
        ("[hub]\nmax_devices = 0", "hub.max_devices = 0: a whole number of at least 1 is needed"),
        (
            f"[signal]\nwindow = {10**30}",
            f"signal.window = {10**30}: a whole number of at most 1000000000 is needed",
        ),
        ("[signal]\nhop = 201", "signal.hop = 201: at most signal.window = 200"),
        (
            "[tracker]\nmin_confidence = 1.1",
            "tracker.min_confidence = 1.1: a number of at most 1 is needed",
        ),
        (
            "[server]\nport = 65536",
            "server.port = 65536: a whole number of at most 65535 is needed",
        ),
        (
            "[server]\nport = 2026-11-22",
            "server.port = datetime.date(2026, 11, 22): a whole number is needed",
        ),
        (
            "[tcp]\nhyperimu = 65536",
            "tcp.hyperimu = 65536: a whole number of at most 65535 is needed",
        ),
        (
            '[tcp]\nhyperimu = "on"',
            "tcp.hyperimu = 'on': a port from 0 to 65535 is allowed, or noth",
        ),
        ('[server]\nkey = "k"', "server.cert = '', server.key = 'k': both files are needed, or n"),
        ('[server]\ncert = "c"', "server.cert = 'c', server.key = '': both files are needed, or"),
        ('[server]\nhttps = "yes"', "server.https = 'yes': true or false is needed, not text"),
        ('[mqtt]\nurl = "http://b"', "mqtt.url = 'http://b': mqtt://user@host:1883 or mqtts://"),
        ('[mqtt]\nbase = "a/#"', "mqtt.base = 'a/#': a topic without # or +"),
        ('[mqtt]\nclient_id = "a b"', "mqtt.client_id = 'a b': 1 to 64 of A-Z a-z 0-9"),
        (
            "[wire]\nmax_frame_bytes = 100",
            "wire.max_frame_bytes = 100: a whole number of at least 1024 is needed",
        ),
        (
            "[wire]\nmax_push_bytes = 100",
            "wire.max_push_bytes = 100: a whole number of at least 1024 is needed",
        ),
        ("[devices]\np = 3", "devices.p = 3: a table is needed, not a number"),
        (
            '[devices.a]\n[devices.pixel-7]\nartefact = "x"',
            "devices.pixel-7.artefact = 'x': unknown key, known are artifact",
        ),
        ('[devices.p]\naxes = "up"', "devices.p.axes = 'up': android or ios is allowed"),
        ('[devices.p]\nunits = "kg"', "devices.p.units = 'kg': m/s2 or g is allowed"),
        ('[mqtt]\nsensor_logger = "a/#"', "mqtt.sensor_logger = 'a/#': a topic without # or +"),
        ("[devices.a]\n[devices.p]\nartifact = 3", "devices.p.artifact = 3: text is needed"),
        ('[devices.a]\n[devices."b c"]', "devices.b c = {}: a device's id is 1 to 64 of A-Z"),
        ('[devices."b\\n"]', r"devices.'b\n' = {}: a device's id is 1 to 64 of A-Z"),
        (
            "[batcher]\nmax_wait_ms = -0.1",
            "batcher.max_wait_ms = -0.1: a number of at least 0 is needed",
        ),
    ],
)
def test_key_value_and_what_is_allowed_are_named(text: str, message: str, tmp_path: Path) -> None:
    assert refused(text, tmp_path).startswith(message)


TEXTS = [
    (section, key, wrong)
    for section in SECTIONS
    for key, value in msgspec.to_builtins(getattr(Config(), section)).items()
    if isinstance(value, str)
    for wrong in ("", "no\nsuch thing #+")
]


def said_of(raw: dict[str, object]) -> str:
    """Return what is wrong with settings; empty where nothing is."""
    try:
        config.check(raw, "settings")
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("section", "key", "wrong"), TEXTS)
def test_what_is_refused_as_text_says_what_is_allowed(section: str, key: str, wrong: str) -> None:
    said = said_of({section: {key: wrong}})
    assert not said or "allowed" in said or "needed" in said
    assert "`" not in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[hub", "is not TOML: "),
        ("x", "is not TOML: "),
        ("[hub]\nexpires_s = 1\nexpires_s = 2", "is not TOML: "),
        (b"\xff\xfe", "is not TOML: "),
        (b"\x00\x01\x02", "is not TOML: "),
        ("x = " + "[" * 5000, "is not TOML: "),
    ],
)
def test_what_is_not_toml(text: str | bytes, message: str, tmp_path: Path) -> None:
    assert refused(text, tmp_path).startswith(message)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read: No such file"):
        config.load(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        config.load(tmp_path)


@pytest.mark.parametrize(
    ("server", "secure", "address"),
    [
        (Server(), False, "127.0.0.1"),
        (Server(https=True), True, "0.0.0.0"),  # noqa: S104  compared, not bound
        (Server(cert="c", key="k"), True, "0.0.0.0"),  # noqa: S104  as above
        (Server(https=True, host="127.0.0.1"), True, "127.0.0.1"),
        (Server(host="::"), False, "::"),
    ],
)
def test_with_tls_phones_are_let_in_unless_told_otherwise(
    server: Server, secure: bool, address: str
) -> None:
    assert server.secure is secure
    assert server.address == address


@pytest.mark.skipif(not SHOWN.exists(), reason="config.toml is not written yet")
def test_config_toml_shows_every_key_with_its_default() -> None:
    assert config.load(SHOWN) == Config()
    shown = tomllib.loads(SHOWN.read_text())
    for section in SECTIONS:
        fields = type(getattr(Config(), section)).__struct_fields__
        assert tuple(shown[section]) == fields, section


def test_the_example_of_a_device_shows_every_key() -> None:
    example = SHOWN.read_text().partition("\n# [devices.")[2].splitlines()
    shown = tomllib.loads(
        "\n".join(["[devices." + example[0], *(line[2:] for line in example[1:])])
    )
    (device,) = config.check(shown, "example").devices.values()
    assert device != config.Device()
    assert tuple(*map(tuple, shown["devices"].values())) == config.Device.__struct_fields__


@pytest.mark.skipif(not SHOWN.exists(), reason="config.toml is not written yet")
def test_every_key_of_config_toml_has_a_comment_beside_it() -> None:
    lines = [line for line in SHOWN.read_text().splitlines() if "=" in line.partition("#")[0]]
    assert [line for line in lines if not line.partition("#")[2].strip()] == []


def test_what_the_command_line_says_wrong_is_its_own(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.touch()
    with pytest.raises(ConfigError, match=r"^command line: mqtt\.url = 'foo': mqtt://"):
        options.settings(path, {"mqtt.url": "foo"}, [])
