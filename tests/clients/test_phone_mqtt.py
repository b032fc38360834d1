"""A phone over a real broker; the test plays the server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import NoReturn

import aiomqtt
import msgspec
import pytest

from clients import Phone, RefusedError, UnreachableError
from clients.address import MqttAddress, parse
from clients.mqtt_link import MqttLink, connect_mqtt
from stream import wire
from stream.config import Wire
from stream.events import Ack, Error, Prediction
from stream.mqtt.client import Client
from stream.wire import Frame, Source
from tests.clients.made import prediction, samples
from tests.conftest import Broker, free_port
from tests.dialling import until


class Server:
    """The other end of the broker: takes frames and acks them when told to."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.payloads: list[bytes] = []

    async def frame(self) -> Frame:
        async with asyncio.timeout(10):
            message = await anext(aiter(self.client.messages))
        assert isinstance(message.payload, bytes)
        self.payloads.append(message.payload)
        text = wire.looks_like_text(message.payload)
        return wire.decode(message.payload, Source(), Wire(), text=text)

    async def say(self, topic: str, message: object, *, retain: bool = False) -> None:
        await self.client.publish(
            f"gaitway/p/{topic}", msgspec.json.encode(message), qos=1, retain=retain
        )

    async def ack(self, phone: Phone, seq: int) -> None:
        await self.say("ack", Ack(session=phone.session or "", seq=seq), retain=True)


@asynccontextmanager
async def serving(broker: str) -> AsyncIterator[Server]:
    address = parse(broker)
    assert isinstance(address, MqttAddress)
    async with connect_mqtt(address, identifier=None, clean=True) as client:
        await client.subscribe("gaitway/+/samples", qos=1)
        await client.publish("gaitway/status", b"online", qos=1, retain=True)
        yield Server(client)


async def test_each_frame_names_the_session_and_waits_for_the_ack_topic(broker: str) -> None:
    async with serving(broker) as server:
        async with Phone(broker, "p", encoding="json") as phone:
            await phone.send(samples(0))
            await phone.send(samples(1))
            frames = [await server.frame(), await server.frame()]
            assert [(f.seq, f.session) for f in frames] == [(0, phone.session), (1, phone.session)]
            assert phone.unacked == 2
            await server.ack(phone, 1)
            async with asyncio.timeout(10):
                await phone.drain()
        assert phone.unacked == 0


async def test_binary_frames_follow_a_text_that_names_the_session(broker: str) -> None:
    async with serving(broker) as server, Phone(broker, "p") as phone:
        for number in range(3):
            await phone.send(samples(number))
        frames = [await server.frame() for _ in range(3)]
        assert [frame.seq for frame in frames] == [0, 1, 2]
        assert [frame.session for frame in frames] == [phone.session, None, None]
        assert [wire.looks_like_text(payload) for payload in server.payloads] == [
            True,
            False,
            False,
        ]
        await server.ack(phone, 2)


async def test_units_and_axes_make_every_frame_text(broker: str) -> None:
    async with serving(broker) as server, Phone(broker, "p", units="g", axes="ios") as phone:
        await phone.send(samples(0) / 100)
        await phone.send(samples(1) / 100)
        await server.frame()
        assert (await server.frame()).session == phone.session
        assert all(b'"units":"g"' in p and b'"axes":"ios"' in p for p in server.payloads)
        await server.ack(phone, 1)


async def test_a_retained_ack_of_an_older_session_is_not_taken_for_ours(broker: str) -> None:
    async with serving(broker) as server:
        await server.say("ack", Ack(session="older", seq=500), retain=True)
        async with Phone(broker, "p") as phone:
            await phone.send(samples(0))
            await server.frame()
            # The retained ack came first, on the same connection: once this one is heard, so is it.
            await server.say("error", Error(code="bad-frame", message="marker"))
            async with asyncio.timeout(10), aclosing(phone.messages()) as messages:
                assert isinstance(await anext(messages), Error)
            assert phone.unacked == 1
            await server.ack(phone, 0)


async def test_predictions_of_the_device_s_other_streams_are_not_ours(broker: str) -> None:
    async with serving(broker) as server, Phone(broker, "p") as phone:
        await server.say("prediction", prediction(0, session="other"))
        await server.say("prediction", prediction(1, session=phone.session or ""))
        async with asyncio.timeout(10), aclosing(phone.messages()) as messages:
            heard = await anext(messages)
        assert isinstance(heard, Prediction)
        assert heard.window == 1


async def test_unacked_frames_come_again_when_the_server_comes_back(broker: str) -> None:
    async with serving(broker) as server, Phone(broker, "p") as phone:
        await server.client.publish("gaitway/status", "offline", qos=1, retain=True)
        await phone.send(samples(0))
        await phone.send(samples(1))
        assert [(await server.frame()).seq for _ in range(2)] == [0, 1]
        await server.ack(phone, 0)
        await server.client.publish("gaitway/status", "online", qos=1, retain=True)
        again = await server.frame()
        assert (again.seq, again.session) == (1, phone.session)
        await server.ack(phone, 1)


async def test_a_frame_that_is_not_taken_is_sent_again(broker: str) -> None:
    async with serving(broker) as server, Phone(broker, "p") as phone:
        await phone.send(samples(0))
        await server.frame()
        await server.say("error", Error(code="overloaded", message="later", seq=0))
        again = await server.frame()
        assert (again.seq, again.session) == (0, phone.session)
        await server.ack(phone, 0)


async def test_a_broker_that_starts_again_costs_nothing(mortal_broker: Broker) -> None:
    async with Phone(mortal_broker.url, "p", patience_s=30) as phone:
        async with serving(mortal_broker.url) as server:
            await phone.send(samples(0))
            await server.frame()
            await server.ack(phone, 0)
            async with asyncio.timeout(10):
                await phone.drain()
            mortal_broker.kill()
            with pytest.raises(aiomqtt.MqttError):
                await server.frame()
        await phone.send(samples(1))
        mortal_broker.start()
        async with serving(mortal_broker.url) as server:
            # The phone may have been there before the server, which then says that it is back.
            for status in ("offline", "online"):
                await server.client.publish("gaitway/status", status, qos=1, retain=True)
            assert (await server.frame()).seq == 1
            await server.ack(phone, 1)
            async with asyncio.timeout(10):
                await phone.drain()


async def test_what_came_before_a_break_and_was_not_read_is_heard(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is acked once it is read, so the broker sends it again."""
    clients: list[Client] = []
    broken = asyncio.Event()

    async def stalled(_self: MqttLink, client: Client) -> NoReturn:
        clients.append(client)
        await broken.wait()
        raise aiomqtt.MqttError("the connection broke")

    with monkeypatch.context() as patched:
        patched.setattr(MqttLink, "_receive", stalled)
        async with serving(broker) as server, Phone(broker, "p") as phone:
            said = [prediction(window, session=phone.session or "") for window in range(3)]
            for message in said:
                await server.say("prediction", message)
            await until(lambda: len(clients[0].messages) > len(said))  # and the server's status
            patched.undo()
            broken.set()
            async with asyncio.timeout(10), aclosing(phone.messages()) as messages:
                heard = [await anext(messages) for _ in said]
            assert heard == said


async def test_nothing_is_sent_to_a_broker_that_knows_no_server(broker: str) -> None:
    address = parse(broker)
    assert isinstance(address, MqttAddress)
    async with connect_mqtt(address, identifier=None, clean=True) as client:
        await client.subscribe("gaitway/+/samples", qos=1)
        server = Server(client)
        async with Phone(broker, "p") as phone:
            await phone.send(samples(0))
            await server.say("error", Error(code="bad-frame", message="marker"))
            async with asyncio.timeout(10), aclosing(phone.messages()) as messages:
                await anext(messages)
            await client.publish("gaitway/x/samples", b"probe", qos=1)
            async with asyncio.timeout(10):
                assert (await anext(aiter(client.messages))).payload == b"probe"
            await client.publish("gaitway/status", b"online", qos=1, retain=True)
            assert (await server.frame()).seq == 0
            await server.ack(phone, 0)


async def test_no_broker_is_said_at_once() -> None:
    with pytest.raises(UnreachableError, match="no connection to the broker at mqtt://127"):
        async with Phone(f"mqtt://127.0.0.1:{free_port()}", "p"):
            pass


async def test_no_server_behind_the_broker_ends_the_patience(broker: str) -> None:
    with pytest.raises(UnreachableError, match="1 frames are not acked"):
        async with Phone(broker, "p", patience_s=0.2) as phone:
            await phone.send(samples(0))


@pytest.fixture
def closed_broker(mosquitto: None, tmp_path: Path) -> Iterator[str]:
    """A broker that lets nobody in."""
    broker = Broker(tmp_path, "allow_anonymous false")
    broker.start()
    yield f"mqtt://me@127.0.0.1:{broker.port}"
    broker.kill()


async def test_a_broker_that_refuses_says_what_to_do(closed_broker: str) -> None:
    with pytest.raises(RefusedError, match="the password into GAITWAY_MQTT_PASSWORD"):
        async with Phone(closed_broker, "p"):
            pass
