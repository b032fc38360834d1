"""MQTT against a real Mosquitto: in, out, retained state, last will, and broken connections."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import httpx
import msgspec
import numpy as np
import pytest
import stamina
from websockets.asyncio.client import connect

from stream import config, service
from stream.config import Config, Hub
from stream.service import Service
from stream.wire.binary import encode_binary
from tests.conftest import Broker
from tests.dialling import metric, until

SAMPLES = np.random.default_rng(5).normal(3, 3, (800, 3)).astype(np.float32)


def text(seq: int | None, **more: Any) -> str:
    first = 40 * (seq or 0)
    body = {"xyz": SAMPLES[first : first + 40].tolist(), **more}
    return json.dumps(body if seq is None else {"seq": seq, **body})


def client_of(url: str, **options: Any) -> aiomqtt.Client:
    parts = urlsplit(url)
    return aiomqtt.Client(parts.hostname or "", parts.port or 1883, **options)


@asynccontextmanager
async def listening(url: str, *topics: str) -> AsyncIterator[aiomqtt.Client]:
    async with client_of(url) as client:
        for topic in topics:
            await client.subscribe(topic, qos=1)
        yield client


async def expect(client: aiomqtt.Client, topic: str, *words: str) -> bytes:
    """Return the payload of the next message on `topic` that contains all `words`."""
    async with asyncio.timeout(20):
        async for message in client.messages:
            payload = message.payload
            assert isinstance(payload, bytes)
            if str(message.topic) == topic and all(word.encode() in payload for word in words):
                return payload
    raise AssertionError("the connection ended")


def with_broker(settings: Config, url: str) -> Config:
    mqtt = config.Mqtt(url=url, reconnect_max_s=0.5)
    return msgspec.structs.replace(settings, mqtt=mqtt)


@asynccontextmanager
async def joining(settings: Config) -> AsyncIterator[Service]:
    """A service that has joined its broker."""
    async with service.running(settings) as running:
        bridge = running.bridge
        assert bridge is not None
        await until(lambda: bridge.connected)
        yield running


async def test_frames_in_predictions_and_acks_out(joined: Service, broker: str) -> None:
    async with (
        listening(broker, "gaitway/a/ack") as phone,
        listening(broker, "gaitway/a/prediction") as predictions,  # of the two, either may be first
    ):
        for seq in range(4):
            await phone.publish("gaitway/a/samples", text(seq, session="s"), qos=1)
        await phone.publish("gaitway/a/samples", text(4, session="s"), qos=1)
        await expect(phone, "gaitway/a/ack", '"seq":4')
        prediction = json.loads(await expect(predictions, "gaitway/a/prediction"))
    assert prediction["id"] == "a/s/0"


async def test_binary_frames_and_frames_without_seq(joined: Service, broker: str) -> None:
    async with listening(broker, "gaitway/+/prediction") as phone:
        for seq in range(5):
            block = SAMPLES[40 * seq : 40 * seq + 40]
            await phone.publish("gaitway/binary/samples", encode_binary(seq, block), qos=1)
            await phone.publish("gaitway/bare/samples", text(None), qos=1)
        topics = {str((await anext(phone.messages)).topic) for _ in range(2)}
    assert topics == {"gaitway/binary/prediction", "gaitway/bare/prediction"}


async def test_state_is_retained(joined: Service, broker: str) -> None:
    async with client_of(broker) as phone:
        await phone.publish("gaitway/a/samples", text(0), qos=1)
    async with listening(broker, "gaitway/a/activity") as late:
        assert json.loads(await expect(late, "gaitway/a/activity"))["activity"] == "Unknown"
    async with listening(broker, "gaitway/a/status") as late:
        assert await expect(late, "gaitway/a/status") == b"online"


@pytest.mark.parametrize(
    "payload", [b"junk", b"", b'{"seq": 0, "xyz": [[1, 2, 4e9]]}', b"\x01\x00", b"[" * 2_000_000]
)
async def test_nonsense_goes_to_the_error_topic(
    joined: Service, broker: str, payload: bytes
) -> None:
    async with listening(broker, "gaitway/bad/error", "gaitway/good/ack") as phone:
        await phone.publish("gaitway/bad/samples", payload, qos=1)
        error = json.loads(await expect(phone, "gaitway/bad/error", '"type":"error"'))
        assert error["code"] == "bad-frame"
        await phone.publish("gaitway/good/samples", text(0), qos=1)
        await expect(phone, "gaitway/good/ack", '"seq":0')


async def test_a_device_that_cannot_be_named_is_counted(joined: Service, broker: str) -> None:
    async with listening(broker, "gaitway/good/ack") as phone:
        await phone.publish("gaitway/$bad name/samples", text(0), qos=1)
        await phone.publish("gaitway/good/samples", text(0), qos=1)
        await expect(phone, "gaitway/good/ack")
    async with httpx.AsyncClient() as client:
        metrics = (await client.get(f"{joined.http_url}/metrics")).text
    assert 'gaitway_frames_refused_total{channel="mqtt",code="bad-device"} 1.0' in metrics


async def test_nonsense_where_there_is_no_room_is_refused_and_stops_nobody(
    config: Config, broker: str
) -> None:
    settings = with_broker(config, broker)
    settings = msgspec.structs.replace(settings, hub=Hub(max_sessions=1))
    async with (
        listening(broker, "gaitway/status", "gaitway/b/error") as phone,
        service.running(settings) as running,
        connect(f"{running.ws_url}/v1/stream?device=a") as live,
    ):
        await live.recv()
        await expect(phone, "gaitway/status", "online")
        for payload in ('{"seq": 0, "xyz": [[0, 0, 99999]]}', text(0)):
            await phone.publish("gaitway/b/samples", payload, qos=1)
            assert json.loads(await expect(phone, "gaitway/b/error"))["code"] == "overloaded"
        await live.send(text(0))
        assert json.loads(await live.recv())["type"] == "ack"


async def test_a_stop_says_offline(config: Config, broker: str) -> None:
    async with listening(broker, "gaitway/status", "gaitway/a/status") as client:
        async with service.running(with_broker(config, broker)):
            await expect(client, "gaitway/status", "online")
            await client.publish("gaitway/a/samples", text(0), qos=1)
            await expect(client, "gaitway/a/status", "online")
        await expect(client, "gaitway/a/status", "offline")
        await expect(client, "gaitway/status", "offline")


async def test_acks_name_the_session_of_the_frame(joined: Service, broker: str) -> None:
    async with listening(broker, "gaitway/a/ack") as phone:
        for seq, session in ((0, "A"), (0, "B"), (1, "A")):
            await phone.publish("gaitway/a/samples", text(seq, session=session), qos=1)
        await expect(phone, "gaitway/a/ack", '"A"', '"seq":1')


@pytest.mark.slow
async def test_a_broker_that_stands_still_costs_nobody_the_service(
    config: Config, mortal_broker: Broker
) -> None:
    url = mortal_broker.url
    async with service.running(with_broker(config, url)) as running, httpx.AsyncClient() as client:
        async with listening(url, "gaitway/status") as watcher:
            await expect(watcher, "gaitway/status", "online")
        mortal_broker.signal(signal.SIGSTOP)
        for seq in range(5):
            await client.post(f"{running.http_url}/v1/frames?device=a", content=text(seq))
        async for attempt in stamina.retry_context(on=AssertionError, attempts=None, timeout=30):
            with attempt:
                assert "reconnecting" in (await client.get(f"{running.http_url}/readyz")).text
        mortal_broker.signal(signal.SIGCONT)
        async with listening(url, "gaitway/a/activity") as watcher:
            await expect(watcher, "gaitway/a/activity")


async def test_frames_wait_at_the_broker_while_the_service_is_away(
    config: Config, broker: str
) -> None:
    settings = with_broker(config, broker)
    async with listening(broker, "gaitway/#") as phone:
        async with service.running(settings):
            await expect(phone, "gaitway/status", "online")
        for seq in range(5):
            await phone.publish("gaitway/a/samples", text(seq), qos=1)
        async with service.running(settings):
            await expect(phone, "gaitway/a/prediction")


async def test_what_the_broker_kept_of_long_ago_is_no_frame_of_now(
    config: Config, broker: str
) -> None:
    """A device that sets the retain flag: its frame counts once, and begins nothing again."""
    settings = with_broker(config, broker)
    async with listening(broker, "gaitway/#") as phone:
        for _ in range(2):
            async with service.running(settings) as running:
                await expect(phone, "gaitway/status", "online")
                await phone.publish("gaitway/a/samples", text(0, session="s"), qos=1, retain=True)
                await expect(phone, "gaitway/a/ack", '"seq":0')
                await phone.publish("gaitway/b/samples", text(0, session="s"), qos=1)
                await expect(phone, "gaitway/b/ack", '"seq":0')
                refused = 'gaitway_frames_refused_total{channel="mqtt",code="retained"}'
                kept = metric(running, refused)
                assert metric(running, "gaitway_frames_total") == 2
            await expect(phone, "gaitway/status", "offline")
    assert kept == 1  # at the second start


async def test_a_restarted_broker_is_joined_again(config: Config, mortal_broker: Broker) -> None:
    """Subscriptions and retained state are back even where the broker forgot everything."""
    url = mortal_broker.url
    async with service.running(with_broker(config, url)):
        async with listening(url, "gaitway/status", "gaitway/a/ack") as phone:
            # Before the service has joined, the broker keeps no frame for it.
            await expect(phone, "gaitway/status", "online")
            await phone.publish("gaitway/a/samples", text(0), qos=1)
            await expect(phone, "gaitway/a/ack")
            mortal_broker.kill()
        mortal_broker.start("forgetful")
        async with listening(url, "gaitway/#") as phone:
            await expect(phone, "gaitway/status", "online")
            await expect(phone, "gaitway/a/activity", '"device":"a"')
            await phone.publish("gaitway/a/samples", text(1), qos=1)
            await expect(phone, "gaitway/a/ack", '"seq":1')
