"""A phone against a server that follows a script: real sockets, and breaks at chosen frames."""

import asyncio
from contextlib import aclosing
from uuid import uuid4

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from clients import NonsenseError, Phone, RefusedError, UnreachableError
from stream.events import Error, Prediction, Quality, Welcome
from stream.wire import Frame
from tests.clients.conftest import Peer, Talk
from tests.clients.made import prediction, samples
from tests.conftest import free_port


def numbers(frames: list[Frame]) -> list[tuple[int | None, float]]:
    """Return (seq, number that the samples tell) of each frame."""
    return [(frame.seq, float(frame.xyz[0, 0])) for frame in frames]


async def send(phone: Phone, *frames: int) -> None:
    for number in frames:
        await phone.send(samples(number))


async def predictions(phone: Phone, wanted: int) -> list[Prediction]:
    """Read messages until so many predictions have come."""
    heard: list[Prediction] = []
    async with asyncio.timeout(5), aclosing(phone.messages()) as messages:
        async for message in messages:
            heard += [message] if isinstance(message, Prediction) else []
            if len(heard) == wanted:
                break
    return heard


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
