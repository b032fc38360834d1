"""Broken connections, refusals and forgotten sessions, at chosen frames."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from clients import Phone, RefusedError, UnreachableError
from stream.events import Error
from tests.clients.conftest import Peer, Talk
from tests.clients.made import prediction
from tests.clients.phones import numbers, predictions, send
from tests.conftest import free_port


async def test_after_a_break_it_resumes_and_repeats_only_what_is_unacked(peer: Peer) -> None:
    async def first(talk: Talk) -> None:
        await talk.welcome()
        await talk.take(2)
        await talk.send(prediction(0))
        await talk.frame()
        talk.cut()

    async def second(talk: Talk) -> None:
        assert talk.query == {"device": "p", "session": "S", "since": "p/S/0"}
        await talk.welcome(next_seq=2)
        assert numbers(await talk.take(3)) == [(2, 2), (3, 3), (4, 4)]
        await talk.until_closed()

    peer.follow(first, second)
    async with Phone(peer.url, "p") as phone:
        await send(phone, 0, 1, 2, 3, 4)
    assert phone.unacked == 0


async def test_a_phone_that_heard_nothing_yet_asks_for_all_of_its_session(peer: Peer) -> None:
    async def first(talk: Talk) -> None:
        await talk.welcome()
        await talk.frame()
        talk.cut()

    async def second(talk: Talk) -> None:
        assert talk.path_with_query.endswith("?device=p&session=S&since=")
        await talk.welcome(next_seq=1)
        await talk.until_closed()

    peer.follow(first, second)
    async with Phone(peer.url, "p") as phone:
        await send(phone, 0)


async def test_next_seq_acks_everything_below_it(peer: Peer) -> None:
    async def first(talk: Talk) -> None:
        await talk.welcome()
        for _ in range(3):
            await talk.frame()
        talk.cut()

    async def second(talk: Talk) -> None:
        await talk.welcome(next_seq=2)
        assert numbers(await talk.take(1)) == [(2, 2)]
        await talk.until_closed()

    peer.follow(first, second)
    async with Phone(peer.url, "p") as phone:
        await send(phone, 0, 1, 2)


async def test_a_session_that_the_server_forgot_is_numbered_anew(peer: Peer) -> None:
    async def first(talk: Talk) -> None:
        await talk.welcome()
        await talk.take(2)
        await talk.send(prediction(0))
        await talk.frame()
        talk.cut()

    async def second(talk: Talk) -> None:
        await talk.welcome(next_seq=0)
        assert numbers(await talk.take(2)) == [(0, 2), (1, 3)]
        await talk.send(prediction(0, "Sitting"))
        await talk.until_closed()

    peer.follow(first, second)
    async with Phone(peer.url, "p") as phone:
        await send(phone, 0, 1, 2, 3)
        heard = await predictions(phone, 2)
        assert phone.session_base == 2 * 20
    assert [message.activity for message in heard] == ["Walking", "Sitting"]


async def test_what_comes_again_after_a_break_is_heard_once(peer: Peer) -> None:
    async def first(talk: Talk) -> None:
        await talk.welcome()
        await talk.take(1)
        await talk.send(prediction(0))
        await talk.send(prediction(1))
        talk.cut()

    async def second(talk: Talk) -> None:
        await talk.welcome(next_seq=1)
        for window in range(3):
            await talk.send(prediction(window))
        await talk.until_closed()

    peer.follow(first, second)
    async with Phone(peer.url, "p") as phone:
        await send(phone, 0)
        assert [message.window for message in await predictions(phone, 3)] == [0, 1, 2]


@pytest.mark.parametrize("code", [1001, 1011, 1012, 1013])
async def test_it_connects_again_where_the_server_only_goes_away(peer: Peer, code: int) -> None:
    async def first(talk: Talk) -> None:
        await talk.welcome()
        await talk.frame()
        await talk.close(code)

    async def second(talk: Talk) -> None:
        await talk.welcome()
        await talk.take(1)
        await talk.until_closed()

    peer.follow(first, first, second)
    async with Phone(peer.url, "p") as phone:
        await send(phone, 0)


@pytest.mark.parametrize("code", [1008, 1009, 4000, 4401, 4403])
async def test_it_never_comes_back_after_a_refusal(peer: Peer, code: int) -> None:
    async def script(talk: Talk) -> None:
        await talk.welcome()
        await talk.frame()
        await talk.close(code, "because")

    peer.follow(script)
    with pytest.raises(RefusedError, match=rf"\({code}: because\)") as caught:
        async with Phone(peer.url, "p", max_unacked=1) as phone:
            await send(phone, 0, 1)
    assert caught.value.code == code
    assert len(peer.talks) == 1


async def test_a_refusal_reaches_who_only_listens(peer: Peer) -> None:
    async def script(talk: Talk) -> None:
        await talk.welcome()
        await talk.close(4000)

    peer.follow(script)
    async with Phone(peer.url, "p") as phone:
        with pytest.raises(RefusedError, match="another connection of this device took over"):
            await predictions(phone, 1)


async def test_a_refusal_before_the_welcome_is_raised_on_entering(peer: Peer) -> None:
    async def script(talk: Talk) -> None:
        await talk.close(1008, "device id 'a/b': not allowed")

    peer.follow(script)
    with pytest.raises(RefusedError, match="device id 'a/b': not allowed"):
        async with Phone(peer.url, "p"):
            pass


@pytest.mark.parametrize("code", ["overloaded", "not-durable"])
async def test_a_frame_that_is_not_taken_is_sent_again(peer: Peer, code: str) -> None:
    async def first(talk: Talk) -> None:
        await talk.welcome()
        await talk.take(1)
        await talk.frame()
        await talk.send(Error(code=code, message="later", seq=1))
        await talk.until_closed()

    async def second(talk: Talk) -> None:
        await talk.welcome(next_seq=1)
        assert numbers(await talk.take(2)) == [(1, 1), (2, 2)]
        await talk.until_closed()

    peer.follow(first, second)
    async with Phone(peer.url, "p") as phone:
        await send(phone, 0, 1, 2)


async def test_a_session_of_an_earlier_process_goes_on(peer: Peer) -> None:
    async def script(talk: Talk) -> None:
        assert talk.query["session"] == "old"
        await talk.welcome(next_seq=57, session="old")
        assert numbers(await talk.take(1)) == [(57, 0)]
        await talk.until_closed()

    peer.follow(script)
    async with Phone(peer.url, "p", session="old") as phone:
        await send(phone, 0)


async def test_nobody_there_is_said_at_once() -> None:
    url = f"ws://127.0.0.1:{free_port()}"
    with pytest.raises(
        UnreachableError, match=r"nobody answers at .* start one with `gaitway serve`"
    ):
        async with Phone(url, "p"):
            pass


async def test_a_server_of_something_else_is_told_from_gaitway() -> None:
    def refuse(connection: ServerConnection, _request: Request) -> Response:
        return connection.respond(404, "nothing here")

    async with serve(lambda _: asyncio.sleep(0), "127.0.0.1", 0, process_request=refuse) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(RefusedError, match="HTTP 404: is this a Gaitway server"):
            async with Phone(f"ws://127.0.0.1:{port}", "p"):
                pass


async def test_patience_ends_where_no_ack_comes(peer: Peer) -> None:
    async def script(talk: Talk) -> None:
        await talk.welcome()
        await talk.until_closed()

    peer.follow(script)
    with pytest.raises(UnreachableError, match=r"1 frames are not acked after 0.1 s"):
        async with Phone(peer.url, "p", patience_s=0.1) as phone:
            await send(phone, 0)


async def test_patience_ends_where_no_connection_comes(peer: Peer) -> None:
    async def first(talk: Talk) -> None:
        await talk.welcome()
        await talk.close(1012)

    async def later(talk: Talk) -> None:
        await talk.close(1013, "full")

    peer.follow(first, *[later] * 200)
    with pytest.raises(UnreachableError):
        async with Phone(peer.url, "p", patience_s=0.3, max_unacked=1) as phone:
            await send(phone, 0, 1)
