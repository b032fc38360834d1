"""A listener against a server that follows a script, and through a real broker."""

import asyncio
from contextlib import aclosing

import aiomqtt
import msgspec
import pytest

from clients import Message, RefusedError, UnreachableError, watch
from clients.address import MqttAddress, parse
from clients.listen import Kind, follow
from clients.messages import Back, Lost
from clients.mqtt_link import connect_mqtt
from stream import events
from stream.errors import ParameterError
from stream.events import Error, Missed, Prediction, Quality, State, Status
from tests.clients.conftest import Peer, Talk
from tests.clients.made import START, ended, prediction, started
from tests.conftest import free_port

ALL: tuple[Kind, ...] = ("activity", "prediction", "status", "quality")
STATE = State(
    device="p",
    activity="Walking",
    since=START,
    confidence=0.9,
    quality="good",
    status="online",
)
QUALITY = Quality(device="p", session="S", state="poor", rate_hz=9, gaps=0, late=0, advice="More.")


async def listen(
    url: str, wanted: int, *, types: tuple[Kind, ...] = ALL, since: str | None = None
) -> list[Message]:
    """Watch until so many messages have come."""
    heard: list[Message] = []
    async with asyncio.timeout(10), aclosing(watch(url, types=types, since=since)) as messages:
        async for message in messages:
            heard.append(message)
            if len(heard) == wanted:
                break
    return heard


async def test_it_asks_for_devices_and_types_and_yields_what_comes(peer: Peer) -> None:
    async def script(talk: Talk) -> None:
        await talk.send(STATE)
        await talk.send(prediction(3))
        await talk.send({"type": "later"})
        await talk.until_closed()

    peer.follow(script)
    heard = []
    async with aclosing(watch(peer.url, devices=["p", "q"], types=["prediction"])) as messages:
        async for message in messages:
            heard.append(message)
            if len(heard) == 2:
                break
    assert heard == [STATE, prediction(3)]
    assert peer.talks[0].path == "/v1/events"
    assert peer.talks[0].query == {"device": "p,q", "type": "prediction"}


async def test_after_a_break_it_asks_for_what_came_since(peer: Peer) -> None:
    async def first(talk: Talk) -> None:
        assert "since" not in talk.query
        await talk.send(started(3))
        await talk.send(prediction(4))
        talk.cut()

    async def second(talk: Talk) -> None:
        assert talk.query["since"] == "p/S/4"
        await talk.send(Missed(count=2))
        await talk.send(ended("5"))
        await talk.until_closed()

    peer.follow(first, second)
    heard = await listen(peer.url, 4)
    assert heard == [started(3), prediction(4), Missed(count=2), ended("5")]


async def test_whoever_follows_is_told_of_breaks(peer: Peer) -> None:
    async def first(talk: Talk) -> None:
        await talk.send(prediction(4))
        talk.cut()

    async def refuses(talk: Talk) -> None:
        await talk.close(1013, "full")

    async def second(talk: Talk) -> None:
        await talk.send(prediction(5))
        await talk.until_closed()

    peer.follow(first, refuses, second)
    heard = []
    async with asyncio.timeout(10), aclosing(follow(peer.url, types=ALL)) as messages:
        async for message in messages:
            heard.append(message)
            if message == prediction(5):
                break
    assert heard[0] == prediction(4)
    assert [type(message) for message in heard[1:]] == [Lost, Back, Lost, Back, Prediction]
    assert {m.address for m in heard if isinstance(m, Lost | Back)} == {peer.url}


async def test_it_begins_where_it_is_told(peer: Peer) -> None:
    async def script(talk: Talk) -> None:
        assert talk.query["since"] == "p/S/1"
        await talk.send(prediction(2))
        await talk.until_closed()

    peer.follow(script)
    assert await listen(peer.url, 1, since="p/S/1") == [prediction(2)]


async def test_a_refusal_is_raised_after_what_came_before_it(peer: Peer) -> None:
    async def script(talk: Talk) -> None:
        await talk.send(STATE)
        await talk.close(1008, "type = 'x'")

    peer.follow(script)
    messages = watch(peer.url)
    assert await anext(messages) == STATE
    with pytest.raises(RefusedError, match="type = 'x'"):
        await anext(messages)


async def test_nobody_there_is_said_at_once() -> None:
    with pytest.raises(UnreachableError, match="nobody answers"):
        await listen(f"ws://127.0.0.1:{free_port()}", 1)
    with pytest.raises(UnreachableError, match="no connection to the broker at mqtt://127"):
        await listen(f"mqtt://127.0.0.1:{free_port()}", 1)


async def test_a_slow_reader_stops_the_reading_and_loses_nothing(peer: Peer) -> None:
    async def script(talk: Talk) -> None:
        for window in range(3000):
            await talk.send(prediction(window))
        await talk.until_closed()

    peer.follow(script)
    seen = 0
    async with asyncio.timeout(20), aclosing(watch(peer.url, types=ALL)) as messages:
        async for message in messages:
            assert message == prediction(seen)
            seen += 1
            if seen == 3000:
                break


async def test_a_broker_has_no_history(broker: str) -> None:
    with pytest.raises(ParameterError, match="a broker has no history"):
        await listen(broker, 1, since="p/S/1")


async def test_topics_become_messages(broker: str) -> None:
    address = parse(broker)
    assert isinstance(address, MqttAddress)
    async with connect_mqtt(address, identifier=None, clean=True) as server:
        await server.publish("gaitway/p/activity", msgspec.json.encode(STATE), qos=1, retain=True)
        await server.publish("gaitway/status", "online", qos=1, retain=True)  # not a device's
        await server.publish("gaitway/p/ack", "{}", qos=1, retain=True)  # not for listeners
        watching = asyncio.create_task(listen(broker, 6))
        await publish_until_heard(server, watching)
    heard = await watching
    assert heard[0] == STATE
    assert set(map(type, heard[1:])) >= {Status}


async def publish_until_heard(
    server: aiomqtt.Client, watching: asyncio.Task[list[Message]]
) -> None:
    """Publish all kinds, again and again until the listener, once subscribed, has enough."""
    topics: dict[str, list[events.Message]] = {
        "event": [started(3), ended("4")],
        "prediction": [prediction(5)],
        "error": [QUALITY, Error(code="bad-frame", message="not for listeners", seq=0)],
    }
    while not watching.done():
        await server.publish("gaitway/p/status", "online", qos=1)
        for topic, sent in topics.items():
            for message in sent:
                await server.publish(f"gaitway/p/{topic}", msgspec.json.encode(message), qos=1)
    assert not any(isinstance(message, Error) for message in watching.result())
