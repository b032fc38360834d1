"""More than the limits allow, by MQTT: no acked frame is lost, and nobody else is disturbed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiomqtt
import msgspec
import pytest
from websockets.asyncio.client import connect

from clients import Phone, reconnect
from stream.config import Config, Limits
from stream.service import Service
from stream.wire.binary import encode_binary
from tests.clients.made import samples
from tests.dialling import metric
from tests.shell.test_mqtt import SAMPLES, expect, joining, listening, text, with_broker
from tests.shell.test_throttle import Clock

REFUSED = 'gaitway_frames_refused_total{channel="mqtt",code="overloaded"}'


@asynccontextmanager
async def limited(
    config: Config, broker: str, clock: Clock, frames: int = 5
) -> AsyncIterator[Service]:
    """A service that takes so many frames of a device at once, and then one each 1000 s."""
    limits = Limits(burst_s=1000.0 * frames, device_frames_per_s=0.001)
    settings = msgspec.structs.replace(with_broker(config, broker), limits=limits)
    async with joining(settings) as running:
        running.gate.throttle._clock = clock
        yield running


async def send(phone: aiomqtt.Client, device: str, *payloads: str | bytes) -> None:
    for payload in payloads:
        await phone.publish(f"gaitway/{device}/samples", payload, qos=1)


async def heard(client: aiomqtt.Client, until: str, *words: str) -> list[dict[str, Any]]:
    """Return what `client` hears, the message on the topic `until` with all `words` being last."""
    messages: list[dict[str, Any]] = []
    while not messages or messages[-1]["topic"] != until or not all(
        word in json.dumps(messages[-1], separators=(",", ":")) for word in words
    ):  # fmt: skip
        async with asyncio.timeout(20):
            message = await anext(client.messages)
        assert isinstance(message.payload, bytes)
        messages.append({"topic": str(message.topic), **json.loads(message.payload)})
    return messages


async def test_a_device_over_its_limit_loses_no_acked_frame(config: Config, broker: str) -> None:
    clock = Clock()
    named = {"session": "s"}
    async with (
        limited(config, broker, clock) as running,
        listening(broker, "gaitway/a/ack", "gaitway/a/error", "gaitway/a/prediction") as phone,
        listening(broker, "gaitway/b/ack") as other,
    ):
        await send(phone, "a", *(text(seq, **named) for seq in range(8)))
        first = await heard(phone, "gaitway/a/error", '"overloaded"')
        error = first[-1]
        assert error["seq"] == 5
        assert "device_frames_per_s" in error["message"]

        clock.now += 100_000  # the limits allow more again, but 5 is still owed
        await send(phone, "a", text(8, **named), text(9, **named), "nonsense")
        before = [*first, *await heard(phone, "gaitway/a/error", "bad-frame")]
        if not any(m["type"] == "ack" and m["seq"] >= 4 for m in before):  # it may come later
            before += await heard(phone, "gaitway/a/ack", '"seq":4')
        assert max(m["seq"] for m in before if m["type"] == "ack") == 4
        assert {m["seq"] for m in before if m.get("code") == "overloaded"} <= {5}
        await send(other, "b", *(text(seq) for seq in range(4)))
        await expect(other, "gaitway/b/ack", '"seq":3')

        clock.now += 100_000
        await send(phone, "a", *(text(seq, **named) for seq in range(5, 10)))
        after = await heard(phone, "gaitway/a/prediction", "a/s/5")
        windows = [m["window"] for m in [*before, *after] if m["type"] == "prediction"]
        assert windows == list(range(6))
        assert metric(running, "gaitway_frames_skipped_total") == 0
        assert metric(running, REFUSED) == 5


async def test_binary_frames_go_on_where_the_first_refused_one_was(
    config: Config, broker: str
) -> None:
    """They name no session: those after the one that does are not taken for an older session's."""
    clock = Clock()
    async with (
        limited(config, broker, clock) as running,
        listening(broker, "gaitway/a/ack", "gaitway/a/error") as phone,
    ):
        frames = [encode_binary(seq, SAMPLES[40 * seq : 40 * seq + 40]) for seq in range(3)]
        await send(phone, "a", *(text(seq, session="old") for seq in range(5)))
        await send(phone, "a", text(0, session="new"), *frames[1:])
        await heard(phone, "gaitway/a/error", '"seq":0')
        clock.now += 100_000
        await send(phone, "a", frames[1], text(0, session="new"), *frames[1:])
        acks = await heard(phone, "gaitway/a/ack", '"session":"new"', '"seq":2')
        old = [m["seq"] for m in acks if m.get("session") == "old"]
        assert metric(running, "gaitway_frames_skipped_total") == 0
        assert metric(running, "gaitway_frames_repeated_total") == 0
        assert max(old, default=4) == 4


async def test_a_flood_of_refusals_is_told_now_and_then(config: Config, broker: str) -> None:
    async with (
        limited(config, broker, Clock(), frames=1) as running,
        listening(broker, "gaitway/a/error", "gaitway/b/ack") as phone,
    ):
        await send(phone, "a", *(text(seq, session="s") for seq in range(16)))
        for _ in range(200):
            await send(phone, "a", text(None))
        await send(phone, "b", text(0, session="s"))
        errors = (await heard(phone, "gaitway/b/ack"))[:-1]
        assert metric(running, REFUSED) == 215
        assert errors[0]["seq"] == 1
        assert 10 <= len(errors) < 50


async def test_frames_without_seq_and_labels(config: Config, broker: str) -> None:
    """The first are not numbered, so none waits for another; the latter are as frames are."""
    clock = Clock()
    label = '{"type": "label", "seq": 1, "label": "Walking", "session": "s"}'
    async with (
        limited(config, broker, clock, frames=1),
        listening(broker, "gaitway/a/error", "gaitway/a/ack", "gaitway/a/status") as phone,
    ):
        await send(phone, "a", text(None), text(None))
        assert "seq" not in (error := json.loads(await expect(phone, "gaitway/a/error", '"error"')))
        assert error["code"] == "overloaded"
        clock.now += 100_000
        await send(phone, "a", text(0, session="s"), label)
        assert json.loads(await expect(phone, "gaitway/a/error", '"error"'))["seq"] == 1
        clock.now += 100_000
        await send(phone, "a", text(2, session="s"))
        assert json.loads(await expect(phone, "gaitway/a/error", '"error"'))["seq"] == 1
        await send(phone, "a", label)
        assert (
            json.loads(await expect(phone, "gaitway/a/error", '"error"'))["code"] == "not-recorded"
        )
        clock.now += 100_000
        await send(phone, "a", text(2, session="s"))
        await expect(phone, "gaitway/a/ack", '"seq":2')


async def test_no_room_for_a_session_is_no_hole_in_it(config: Config, broker: str) -> None:
    settings = msgspec.structs.replace(
        config, hub=msgspec.structs.replace(config.hub, max_sessions=1)
    )
    async with (
        limited(settings, broker, Clock(), frames=100) as running,
        listening(broker, "gaitway/b/error", "gaitway/b/ack") as phone,
    ):
        hub = running.hub
        async with connect(f"{running.ws_url}/v1/stream?device=a") as live:
            await live.recv()
            await send(phone, "b", text(0))
            assert json.loads(await expect(phone, "gaitway/b/error", '"error"'))["seq"] == 0
        while hub.lives():
            hub.end(hub.lives()[0])
        await send(phone, "b", text(1))
        assert json.loads(await expect(phone, "gaitway/b/error", '"error"'))["seq"] == 0
        await send(phone, "b", text(0), text(1))
        await expect(phone, "gaitway/b/ack", '"seq":1')


async def test_our_client_goes_on_from_what_was_refused(
    config: Config, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnect, "LONGEST_WAIT_S", 0.2)
    monkeypatch.setattr(reconnect, "JITTER_S", 0.1)
    clock = Clock()
    async with limited(config, broker, clock) as running:
        async with Phone(broker, "p", patience_s=30) as phone:
            for number in range(12):
                await phone.send(samples(number))
            while phone.unacked:
                clock.now += 2_000
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await phone.drain()
        assert metric(running, REFUSED) > 0
        assert metric(running, "gaitway_frames_skipped_total") == 0
