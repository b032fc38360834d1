"""Sensor Logger by MQTT: every phone on one topic of a real Mosquitto, told apart by deviceId."""

import json
import random

import msgspec
import pytest

from stream import service
from stream.config import Config
from stream.service import Service
from tests.core.test_sensor_logger import GOLDEN, mutated
from tests.sensor_logger import Style, entries, message, messages, walk
from tests.shell.test_mqtt import client_of, expect, listening, with_broker

TOPIC = "sensor-logger"


@pytest.mark.parametrize("qos", [0, 1])
async def test_phones_are_told_apart(joined: Service, broker: str, qos: int) -> None:
    styles: dict[str, Style] = {"ann": "android", "ian": "ios-raw"}
    sent = {name: messages(entries(walk(13), s), 100, name) for name, s in styles.items()}
    async with listening(broker, "gaitway/+/prediction") as listener:
        async with client_of(broker) as phones:
            for pair in zip(*sent.values(), strict=True):
                for body in pair:
                    await phones.publish(TOPIC, body, qos=qos)
        heard: set[str] = set()
        while len(heard) < 4:
            payload = (await anext(listener.messages)).payload
            assert isinstance(payload, bytes)
            heard.add(json.loads(payload)["id"])
    assert heard == {f"{name}/s/{window}" for name in sent for window in (0, 1)}


async def test_quality_and_errors_go_to_the_devices_error_topic(
    joined: Service, broker: str
) -> None:
    slow = messages(entries(walk(6, 5), "android", 5), 5, "slow")
    mute = [
        message(n, [e for e in entries(walk(1), "ios") if e["name"] == "gyroscope"], "mute")
        for n in range(3)
    ]
    async with listening(broker, "gaitway/+/error") as phones:
        for body in [*slow, *mute]:
            await phones.publish(TOPIC, body, qos=1)
        await phones.publish(TOPIC, b'{"deviceId": "bad", "payload": 3}', qos=1)
        quality = json.loads(await expect(phones, "gaitway/slow/error"))
        missing = json.loads(await expect(phones, "gaitway/mute/error"))
        error = json.loads(await expect(phones, "gaitway/bad/error"))
    assert quality["advice"] == "Your rate is 5 Hz, at least 20 Hz is needed."
    assert missing["advice"].startswith("No acceleration arrives")
    assert (error["code"], "payload" in error["message"]) == ("bad-frame", True)


async def test_200_malformed_messages_disturb_nobody_else(joined: Service, broker: str) -> None:
    good = messages(entries(walk(13), "android"), 100, "good")
    async with listening(broker, "gaitway/good/prediction") as phones:
        await phones.publish(TOPIC, (GOLDEN / "test.json").read_bytes(), qos=1)
        for seed in range(200):
            await phones.publish(TOPIC, mutated(random.Random(seed)), qos=1)
            if seed < len(good):
                await phones.publish(TOPIC, good[seed], qos=1)
        await expect(phones, "gaitway/good/prediction", "good/s/1")
    assert joined.bridge is not None
    assert joined.bridge.connected


async def test_another_topic_or_none(config: Config, broker: str) -> None:
    settings = with_broker(config, broker)
    for topic, count in (("phones/all", 1), ("", 0)):
        mqtt = msgspec.structs.replace(settings.mqtt, sensor_logger=topic, client_id=f"c{count}")
        async with (
            listening(broker, "gaitway/status", "gaitway/last/ack") as client,
            service.running(msgspec.structs.replace(settings, mqtt=mqtt)) as running,
        ):
            await expect(client, "gaitway/status", "online")
            for body in messages(entries(walk(3), "android")):
                await client.publish("phones/all", body, qos=1)
            last = json.dumps({"seq": 0, "xyz": [[0, 0, 9.8]]})
            await client.publish("gaitway/last/samples", last, qos=1)
            await expect(client, "gaitway/last/ack", '"seq":0')
            assert len([d for d in running.hub.devices if d.name == "b1"]) == count
