"""A real Mosquitto that asks who is there: passwords and the ACL in deploy/, and certificates."""

import asyncio
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import msgspec
import pytest

from clients import Phone
from clients.errors import RefusedError
from stream import service
from stream.config import Config, Mqtt
from stream.errors import ConfigError
from stream.mqtt.broker import client as client_of
from stream.service import Service
from tests.clients.made import samples
from tests.conftest import Broker, free_port
from tests.sensor_logger import entries, message, walk
from tests.shell.test_mqtt import expect, text

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
USERS = ("gaitway", "home", "pixel-7", "ann")


def mosquitto_passwd(path: Path) -> None:
    program = shutil.which("mosquitto_passwd")
    if program is None:
        pytest.skip("mosquitto_passwd is not installed")
    for user in USERS:
        create = [] if path.exists() else ["-c"]
        subprocess.run([program, "-b", *create, str(path), user, f"word of {user}"], check=True)


@pytest.fixture
def broker(mosquitto: None, tmp_path: Path) -> Iterator[Broker]:
    mosquitto_passwd(tmp_path / "passwd")
    settings = f"allow_anonymous false\npassword_file {tmp_path}/passwd\nacl_file {DEPLOY}/acl"
    broker = Broker(tmp_path, settings)
    broker.start()
    yield broker
    broker.kill()


def as_user(broker: Broker, user: str, password: str | None = None) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1", broker.port, username=user, password=password or f"word of {user}"
    )


@pytest.fixture
async def joined(
    config: Config, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    """A service that has joined the broker by its user name and password."""
    monkeypatch.setenv("GAITWAY_MQTT_PASSWORD", "word of gaitway")
    url = f"mqtt://gaitway@127.0.0.1:{broker.port}"
    mqtt = msgspec.structs.replace(config.mqtt, url=url, reconnect_max_s=0.5)
    async with as_user(broker, "home") as home:
        await home.subscribe("gaitway/status", qos=1)
        async with service.running(msgspec.structs.replace(config, mqtt=mqtt)) as running:
            await expect(home, "gaitway/status", "online")
            yield running


async def test_a_device_streams_as_itself_and_hears_of_itself(
    joined: Service, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAITWAY_MQTT_PASSWORD", "word of pixel-7")
    url = f"mqtt://pixel-7@127.0.0.1:{broker.port}"
    async with as_user(broker, "home") as home:
        await home.subscribe("gaitway/+/prediction", qos=1)
        async with Phone(url, "pixel-7") as phone:
            for number in range(12):
                await phone.send(samples(number))
            await phone.drain()
        heard = json.loads(await expect(home, "gaitway/pixel-7/prediction"))
    assert heard["device"] == "pixel-7"


async def test_a_device_writes_nothing_else(joined: Service, broker: Broker) -> None:
    async with as_user(broker, "pixel-7") as phone, as_user(broker, "home") as home:
        await home.subscribe([(f"gaitway/+/{name}", 1) for name in ("activity", "event")])
        await phone.subscribe("gaitway/pixel-7/ack", qos=1)
        for topic in ("gaitway/ann/samples", "sensor-logger", "sensor-logger/ann"):
            pushing = message(0, entries(walk(1), "android"))
            await phone.publish(topic, text(0) if "samples" in topic else pushing, qos=1)
        for topic in ("pixel-7/activity", "ann/event", "ann/activity", "status"):
            await phone.publish(f"gaitway/{topic}", b"forged", qos=1, retain=True)
        await phone.publish("gaitway/pixel-7/samples", text(0), qos=1)
        await expect(phone, "gaitway/pixel-7/ack", '"seq":0')
        assert [device.name for device in joined.hub.devices] == ["pixel-7"]
        first = json.loads(await expect(home, "gaitway/pixel-7/activity"))
    assert first["type"] == "state"


async def test_a_device_hears_nothing_of_others(joined: Service, broker: Broker) -> None:
    async with as_user(broker, "pixel-7") as phone, as_user(broker, "ann") as ann:
        await phone.subscribe("#", qos=1)
        await ann.subscribe("gaitway/ann/ack", qos=1)
        await ann.publish("gaitway/ann/samples", text(0), qos=1)
        await expect(ann, "gaitway/ann/ack", '"seq":0')
        await phone.publish("gaitway/pixel-7/samples", text(0), qos=1)
        topics: list[str] = []
        while not topics or topics[-1] != "gaitway/pixel-7/ack":
            async with asyncio.timeout(20):
                topics.append(str((await anext(phone.messages)).topic))
    assert not [topic for topic in topics if "ann" in topic or topic.endswith("samples")]


async def test_who_watches_hears_no_samples(joined: Service, broker: Broker) -> None:
    async with as_user(broker, "home") as home, as_user(broker, "ann") as ann:
        await home.subscribe("#", qos=1)
        await ann.publish("gaitway/ann/samples", text(0), qos=1)
        topics: list[str] = []
        while not topics or topics[-1] != "gaitway/ann/activity":
            async with asyncio.timeout(20):
                topics.append(str((await anext(home.messages)).topic))
    assert not [topic for topic in topics if topic.endswith(("samples", "ack", "error"))]


async def test_sensor_loggers_own_topic_names_the_phone(joined: Service, broker: Broker) -> None:
    async with as_user(broker, "ann") as ann:
        await ann.subscribe("gaitway/ann/status", qos=1)
        await ann.publish("sensor-logger/ann", message(0, entries(walk(3), "android")), qos=1)
        await expect(ann, "gaitway/ann/status", "online")
    assert [device.name for device in joined.hub.devices] == ["ann"]


async def test_a_wrong_password_is_refused(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAITWAY_MQTT_PASSWORD", "word of ann")
    with pytest.raises(RefusedError, match="GAITWAY_MQTT_PASSWORD"):
        async with Phone(f"mqtt://pixel-7@127.0.0.1:{broker.port}", "pixel-7"):
            pass


def openssl(folder: Path, *arguments: str) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed")
    subprocess.run([program, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """An authority, and certificates of a broker and of a service that it made."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    openssl(tmp_path, *("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem"),
            *("-subj", "/CN=test", "-addext", "keyUsage=critical,keyCertSign,cRLSign"))  # fmt: skip
    for name, who in (("broker", "127.0.0.1"), ("gaitway", "gaitway")):
        extension = tmp_path / f"{name}.ext"
        extension.write_text("subjectAltName=IP:127.0.0.1" if name == "broker" else "")
        request = ("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={who}")
        openssl(tmp_path, "req", "-new", *key[:-2], *request)
        openssl(tmp_path, *("x509", "-req", "-days", "2", "-in", f"{name}.csr", "-CA", "ca.pem"),
                *("-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem"),
                *("-extfile", extension.name))  # fmt: skip
    return tmp_path


@pytest.fixture
def secure(mosquitto: None, certificates: Path) -> Iterator[str]:
    """The URL of a broker that shows a certificate and asks for one."""
    folder, port = certificates, free_port()
    settings = (
        f"acl_file {DEPLOY}/acl\nlistener {port} 127.0.0.1\ncafile {folder}/ca.pem\n"
        f"certfile {folder}/broker.pem\nkeyfile {folder}/broker.key\n"
        "require_certificate true\nuse_identity_as_username true"
    )
    broker = Broker(folder, settings)
    broker.start()
    yield f"mqtts://127.0.0.1:{port}"
    broker.kill()


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # paho leaves sockets of failed handshakes
)
async def test_certificates_are_shown_and_checked(
    config: Config, secure: str, certificates: Path
) -> None:
    authority, mine, key = (
        str(certificates / name) for name in ("ca.pem", "gaitway.pem", "gaitway.key")
    )
    mqtt = Mqtt(url=secure, ca=authority, cert=mine, key=key)
    context = ssl.create_default_context(cafile=authority)
    context.load_cert_chain(mine, key)
    port = int(secure.rpartition(":")[2])
    async with (
        aiomqtt.Client("127.0.0.1", port, tls_context=context) as watcher,
        service.running(msgspec.structs.replace(config, mqtt=mqtt)),
    ):
        await watcher.subscribe("gaitway/status", qos=1)
        await expect(watcher, "gaitway/status", "online")
    for wrong in ({"cert": "", "key": ""}, {"ca": mine}, {"ca": ""}):
        with pytest.raises(aiomqtt.MqttError):
            async with client_of(msgspec.structs.replace(mqtt, **wrong)):
                pass


@pytest.mark.parametrize("key", ["ca", "cert"])
async def test_a_certificate_that_cannot_be_read_is_the_operators_fault(
    config: Config, tmp_path: Path, key: str
) -> None:
    (tmp_path / "junk.pem").write_text("junk")
    for path, why in ((tmp_path / "nowhere", "No such file"), (tmp_path / "junk.pem", "")):
        mqtt = msgspec.structs.replace(config.mqtt, url="mqtts://127.0.0.1", **{key: str(path)})
        with pytest.raises(ConfigError, match=rf"mqtt\.{key} = '{path}'.*{why}"):
            async with service.running(msgspec.structs.replace(config, mqtt=mqtt)):
                pass


def test_the_settings_that_ship_bound_what_is_on_its_way() -> None:
    """docs/bounds.md has the number."""
    words = (DEPLOY / "mosquitto.conf").read_text().splitlines()
    assert "max_inflight_messages 2000" in words
