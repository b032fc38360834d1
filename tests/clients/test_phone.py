"""A phone against a server that follows a script, over real sockets."""

import asyncio
from contextlib import aclosing
from uuid import uuid4

import numpy as np
import pytest

from clients import NonsenseError, Phone
from stream.events import Error, Quality, Welcome
from tests.clients.conftest import Peer, Talk
from tests.clients.made import prediction, samples
from tests.clients.phones import numbers, predictions, send


@pytest.mark.parametrize("encoding", ["binary", "json"])
async def test_frames_arrive_in_order_and_the_session_ends_with_1000(
    peer: Peer, encoding: str
) -> None:
    codes = []

    async def script(talk: Talk) -> None:
        await talk.welcome()
        assert numbers(await talk.take(3)) == [(0, 0), (1, 1), (2, 2)]
        codes.append(await talk.until_closed())

    peer.follow(script)
    async with Phone(peer.url, "pixel-7", encoding=encoding) as phone:  # type: ignore[arg-type]
        await send(phone, 0, 1, 2)
        assert phone.session == "S"
    assert codes == [1000]
    assert peer.talks[0].path == "/v1/stream"
    assert peer.talks[0].query == {"device": "pixel-7"}


async def test_units_axes_and_token_go_with_the_connection(peer: Peer) -> None:
    async def script(talk: Talk) -> None:
        await talk.welcome()
        await talk.until_closed()

    peer.follow(script)
    token = uuid4().hex
    async with Phone(peer.url, "i", units="g", axes="ios", token=token):
        pass
    assert peer.talks[0].query == {"device": "i", "units": "g", "axes": "ios"}
    assert peer.talks[0].headers["Authorization"] == f"Bearer {token}"


async def test_leaving_waits_for_the_last_ack(peer: Peer) -> None:
    acking = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.welcome()
        await talk.frame()
        await acking.wait()
        await talk.ack(0)
        await talk.until_closed()

    async def leave() -> None:
        async with Phone(peer.url, "p") as phone:
            await send(phone, 0)

    peer.follow(script)
    leaving = asyncio.create_task(leave())
    done, _ = await asyncio.wait([leaving], timeout=0.1)
    assert not done
    acking.set()
    await asyncio.wait_for(leaving, 5)


async def test_send_waits_while_too_many_frames_are_unacked(peer: Peer) -> None:
    acking = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.welcome()
        await talk.frame()
        await talk.frame()
        await acking.wait()
        await talk.ack(0)
        await talk.frame()
        await talk.ack(2)
        await talk.until_closed()

    peer.follow(script)
    async with Phone(peer.url, "p", max_unacked=2) as phone:
        await send(phone, 0, 1)
        third = asyncio.create_task(phone.send(samples(2)))
        done, _ = await asyncio.wait([third], timeout=0.1)
        assert not done
        acking.set()
        await asyncio.wait_for(third, 5)


async def test_a_refused_frame_is_told_and_the_rest_goes_on(peer: Peer) -> None:
    async def script(talk: Talk) -> None:
        await talk.welcome()
        await talk.frame()
        await talk.send(Error(code="bad-frame", message="sample 0, x = 500", seq=0))
        await talk.ack(0)
        await talk.take(1)
        await talk.until_closed()

    peer.follow(script)
    async with Phone(peer.url, "p") as phone:
        await send(phone, 0, 1)
        await phone.drain()
    heard = [message async for message in phone.messages() if isinstance(message, Error)]
    assert [error.seq for error in heard] == [0]


async def test_an_exception_leaves_the_session_to_be_resumed(peer: Peer) -> None:
    codes = []

    async def script(talk: Talk) -> None:
        await talk.welcome()
        codes.append(await talk.until_closed())

    peer.follow(script)
    with pytest.raises(ZeroDivisionError):
        async with Phone(peer.url, "p"):
            raise ZeroDivisionError
    assert codes == [1001]


@pytest.mark.parametrize("words", ['{"type": "ack", "session": "S", "seq": 0}', "hello"])
async def test_a_server_that_speaks_something_else_is_an_error(peer: Peer, words: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.websocket.send(words)
        await talk.until_closed()

    peer.follow(script)
    with pytest.raises(NonsenseError):
        async with Phone(peer.url, "p"):
            pass


async def test_nonsense_later_on_ends_the_phone_with_a_reason(peer: Peer) -> None:
    async def script(talk: Talk) -> None:
        await talk.welcome()
        await talk.ack(100)
        await talk.until_closed()

    peer.follow(script)
    async with Phone(peer.url, "p") as phone:
        with pytest.raises(NonsenseError, match="frame 100 was acked, but only 0"):
            await predictions(phone, 1)


async def test_all_messages_are_heard_in_order(peer: Peer) -> None:
    quality = Quality(
        device="p", session="S", state="poor", rate_hz=9.0, gaps=0, late=0, advice="More."
    )

    async def script(talk: Talk) -> None:
        await talk.welcome()
        await talk.send(quality)
        await talk.send(prediction(0))
        await talk.until_closed()

    peer.follow(script)
    heard = []
    async with Phone(peer.url, "p") as phone, aclosing(phone.messages()) as messages:
        async for message in messages:
            heard.append(message)
            if len(heard) == 3:
                break
    assert isinstance(heard[0], Welcome)
    assert heard[1:] == [quality, prediction(0)]


async def test_messages_end_with_the_phone(peer: Peer) -> None:
    async def script(talk: Talk) -> None:
        await talk.welcome()
        await talk.take(1)
        await talk.until_closed()

    peer.follow(script)

    async def read(phone: Phone) -> list[str]:
        return [type(message).__name__ async for message in phone.messages()]

    async with Phone(peer.url, "p") as phone:
        reading = asyncio.create_task(read(phone))
        await send(phone, 0)
    assert await asyncio.wait_for(reading, 5) == ["Welcome", "Ack"]


async def test_cancelling_takes_the_connection_along(peer: Peer) -> None:
    codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def script(talk: Talk) -> None:
        await talk.welcome()
        await codes.put(await talk.until_closed())

    entered = asyncio.Event()

    async def use() -> None:
        async with Phone(peer.url, "p"):
            entered.set()
            await asyncio.Event().wait()

    peer.follow(script)
    using = asyncio.create_task(use())
    await asyncio.wait_for(entered.wait(), 5)
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    assert await asyncio.wait_for(codes.get(), 5) == 1001
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("phone")]


async def test_times_travel_with_the_samples(peer: Peer) -> None:
    t = 100.0 + np.arange(20) / 50

    async def script(talk: Talk) -> None:
        await talk.welcome()
        (frame,) = await talk.take(1)
        assert frame.t is not None
        np.testing.assert_allclose(frame.t, t, atol=1e-7)
        await talk.until_closed()

    peer.follow(script)
    async with Phone(peer.url, "p") as phone:
        await phone.send(samples(0), t)
