"""Whoever waits for the broker's answer can be told to stop, also when it comes just then."""

import asyncio

import aiomqtt
import pytest

from stream.mqtt.client import Client


async def test_an_answer_does_not_hide_a_cancellation() -> None:
    client = Client("localhost")
    answer = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(client._wait_for(answer, None))
    await asyncio.sleep(0)
    answer.set_result(None)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_broker_that_does_not_answer() -> None:
    client = Client("localhost", timeout=0.01)
    with pytest.raises(aiomqtt.MqttError, match="within"):
        await client._wait_for(asyncio.Event().wait(), None)


async def test_calls_wait_through_it(broker: str) -> None:
    """The next aiomqtt may name it otherwise; then this fails."""
    waits = []

    class Watched(Client):
        async def _wait_for(self, fut, timeout):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ASYNC109
            waits.append(fut)
            return await super()._wait_for(fut, timeout)

    host, port = broker.removeprefix("mqtt://").split(":")
    async with Watched(host, int(port)) as client:
        await client.subscribe("a", qos=1)
        await client.publish("a", "b", qos=1)
    assert len(waits) == 4


async def test_what_was_not_taken_comes_again(broker: str) -> None:
    host, port = broker.removeprefix("mqtt://").split(":")
    heard = []
    for connection in range(2):
        async with Client(host, int(port), identifier="phone", clean_session=False) as client:
            await client.subscribe("a", qos=1)
            if not connection:
                for word in ("one", "two", "three"):
                    await client.publish("a", word, qos=1)
            async with asyncio.timeout(10):
                message = await anext(client.messages)
                while len(client.messages) < 2 - connection:  # noqa: ASYNC110
                    await asyncio.sleep(0)  # they arrive, and nobody takes them
            heard.append(message.payload)
            client.taken(message)
    assert heard == [b"one", b"two"]


async def test_what_wants_no_ack_is_bounded(broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads: of QoS 0 so many are kept, of QoS 1 all."""
    monkeypatch.setattr("stream.mqtt.client.MAX_UNREAD", 3)
    host, port = broker.removeprefix("mqtt://").split(":")
    dropped: list[bool] = []
    async with Client(host, int(port)) as client, Client(host, int(port)) as sender:
        client.on_drop = lambda: dropped.append(True)
        await client.subscribe("a", qos=1)
        for _ in range(5):
            await sender.publish("a", "0", qos=0)
        for _ in range(2):
            await sender.publish("a", "1", qos=1)
        async with asyncio.timeout(10):
            while len(client.messages) < 5:  # noqa: ASYNC110  nothing says so
                await asyncio.sleep(0)
            heard = [(await anext(client.messages)).payload for _ in range(5)]
    assert heard == [b"0", b"0", b"0", b"1", b"1"]
    assert len(dropped) == 2


async def test_who_is_cancelled_while_connecting_leaves_no_connection(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = broker.removeprefix("mqtt://").split(":")
    client, waiting = Client(host, int(port)), asyncio.Event()

    async def wait_for(_self: Client, _answer: object, **_timeout: object) -> None:
        waiting.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Client, "_wait_for", wait_for)
    entering = asyncio.create_task(client.__aenter__())
    async with asyncio.timeout(10):
        await waiting.wait()
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert not client._client.is_connected()
