"""What one message, or one outage, may cost by MQTT: itself, and nobody else anything."""

import json
import logging

import pytest

from stream import service
from stream.config import Config
from stream.sensor_apps import dialects
from stream.sensor_apps.dialects.sensor_logger import DIALECT
from stream.service import Service
from tests.conftest import Broker
from tests.dialling import metric, until
from tests.faulty import POISON, poisoned
from tests.shell.test_mqtt import expect, listening, text, with_broker


def poison(seq: int) -> str:
    return json.dumps({"seq": seq, "session": "s", "xyz": [[float(POISON), 2, 9]] * 40})


async def test_a_message_that_we_fail_on_ends_nothing_else(
    joined: Service,
    broker: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    poisoned(monkeypatch)
    async with listening(broker, "gaitway/+/error", "gaitway/+/ack") as phone:
        await phone.publish("gaitway/a/samples", text(0, session="s"), qos=1)
        for _ in range(3):
            await phone.publish("gaitway/a/samples", poison(1), qos=1)
        error = json.loads(await expect(phone, "gaitway/a/error"))
        assert error["code"] == "internal"
        assert "its log says why" in error["message"]
        await phone.publish("gaitway/b/samples", text(0), qos=1)
        await expect(phone, "gaitway/b/ack", '"seq":0')
        await phone.publish("gaitway/a/samples", text(2, session="s"), qos=1)
        await expect(phone, "gaitway/a/ack", '"seq":2')
    assert metric(joined, 'gaitway_frames_refused_total{channel="mqtt",code="internal"}') == 3
    (told,) = [record for record in caplog.records if record.exc_info]
    assert told.getMessage().startswith("MQTT: a: a fault of ours")


async def test_it_comes_no_second_time(
    config: Config, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker would send what is not acked to the next connection."""
    poisoned(monkeypatch)
    settings = with_broker(config, broker)
    async with listening(broker, "gaitway/#") as phone:
        async with service.running(settings):
            await expect(phone, "gaitway/status", "online")
            await phone.publish("gaitway/a/samples", poison(0), qos=1)
            await expect(phone, "gaitway/a/error", "internal")
        async with service.running(settings) as running:
            await phone.publish("gaitway/a/samples", text(1, session="s"), qos=1)
            await expect(phone, "gaitway/a/ack", '"seq":1')
            assert metric(running, "gaitway_frames_refused_total") == 0


async def test_whose_message_it_is_may_fail_too(
    joined: Service, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def owner(_payload: bytes) -> str:
        raise OverflowError("a fault of ours")

    assert joined.bridge is not None
    shared = joined.bridge._receiver.shared
    assert shared == {"sensor-logger": dialects.SENSOR_LOGGER}
    monkeypatch.setitem(shared, "sensor-logger", DIALECT._replace(owner=owner))
    async with listening(broker, "gaitway/b/ack") as phone:
        await phone.publish("sensor-logger", b"{}", qos=1)
        await phone.publish("gaitway/b/samples", text(0), qos=1)
        await expect(phone, "gaitway/b/ack", '"seq":0')
    assert metric(joined, 'gaitway_frames_refused_total{channel="mqtt",code="internal"}') == 1


async def test_an_outage_of_the_broker_is_said_once(
    config: Config, mortal_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "stream.mqtt.bridge")
    url = mortal_broker.url

    def said(level: int) -> list[str]:
        return [r.getMessage() for r in caplog.records
                if r.name == "stream.mqtt.bridge" and r.levelno == level]  # fmt: skip

    async def until_said(level: int, times: int) -> None:
        await until(lambda: len(said(level)) >= times)

    async with service.running(with_broker(config, url)):
        await until_said(logging.INFO, 1)
        for outage in (1, 2):
            mortal_broker.kill()
            await until_said(logging.DEBUG, 2 * outage)
            assert len(said(logging.WARNING)) == outage
            mortal_broker.start()
            await until_said(logging.INFO, 1 + outage)
    first, *later = said(logging.INFO)
    assert first.endswith(": connected")
    assert all(line.endswith(": connected again") for line in later)
    assert len(said(logging.WARNING)) == 2


async def test_a_broker_that_never_was_there_is_said_once(
    config: Config, mortal_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    mortal_broker.kill()
    async with service.running(with_broker(config, mortal_broker.url)):
        await until(lambda: [r for r in caplog.records if r.name == "stream.mqtt.bridge"])
        mortal_broker.start()
        async with listening(mortal_broker.url, "gaitway/status") as client:
            await expect(client, "gaitway/status", "online")
    assert [r.levelname for r in caplog.records if r.name == "stream.mqtt.bridge"] == ["WARNING"]
