"""What waits for one peer: nothing more after a close, and no longer than the peer is given."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from stream import outbox
from stream.config import Config
from stream.doors import connection
from stream.doors.connection import Protocol
from stream.events import Status
from stream.outbox import ClosedError, Outbox
from stream.service import Service
from tests.shell.access import Keys, asking, bearer
from tests.shell.test_tcp import count, until

LARGE = 100_000  # bytes, so that what the system holds for a listener is soon full
MANY = 200  # of them are more than the system holds: the listener is stuck


async def taken(box: Outbox) -> list[str]:
    """Take what there is, to the end."""
    texts = []
    try:
        while True:
            texts.append(await box.take())
    except ClosedError:
        return texts


async def test_a_closed_outbox_takes_nothing_more() -> None:
    box = Outbox(3)
    box.put("before")
    box.close(4000, "replaced")
    box.put("after")
    assert box.put_newest("a/s", "picture") == 1
    assert await taken(box) == ["before"]
    assert box.dropped == 1


async def test_a_cut_drops_what_waits() -> None:
    box = Outbox(2)
    for text in "abc":
        box.put(text)
    assert box.cut(4401, "revoked") == 2
    assert await taken(box) == []
    assert box.dropped == 3


async def end_inside(box: Outbox, end: Callable[[int, str], object]) -> None:
    async with asyncio.timeout(10), box.until_over():
        end(4401, "revoked")
        await asyncio.Event().wait()


@pytest.mark.parametrize("rest_s", [0.0, 0.01])
async def test_what_is_inside_ends_soon_after_a_close(
    monkeypatch: pytest.MonkeyPatch, rest_s: float
) -> None:
    monkeypatch.setattr(outbox, "REST_S", rest_s)
    box = Outbox(3)
    with pytest.raises(ClosedError, match="4401 revoked"):
        await end_inside(box, box.close)


async def test_what_is_inside_ends_at_a_cut() -> None:
    box = Outbox(3)
    began = asyncio.get_running_loop().time()
    with pytest.raises(ClosedError, match="4401 revoked"):
        await end_inside(box, box.cut)
    assert asyncio.get_running_loop().time() - began < outbox.REST_S


async def test_a_timeout_of_others_is_theirs() -> None:
    with pytest.raises(TimeoutError):
        async with Outbox(3).until_over(), asyncio.timeout(0):
            await asyncio.Event().wait()


def shout(running: Service, number: int) -> None:
    running.hub.publisher.publish("a", Status(device=f"{number}-{'x' * LARGE}", status="online"))


async def until_stuck(running: Service, number: int = 0) -> int:
    """Publish until MANY wait for the one listener; return how many were published."""
    await until(lambda: bool(running.hub.publisher._listeners))
    (listener,) = running.hub.publisher._listeners._everything
    while len(listener.outbox) < MANY:
        shout(running, number)
        await asyncio.sleep(0)
        number += 1
    return number


async def heard(listener: ClientConnection) -> list[int]:
    """Read to the end; return the numbers of what was shouted."""
    numbers = []
    try:
        while True:
            numbers.append(int(json.loads(await listener.recv())["device"].partition("-")[0]))
    except ConnectionClosed:
        return numbers


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Have the server wait for nobody after its last word; whether its first connection is over."""
    monkeypatch.setattr(connection, "CLOSE_S", 0.0)
    monkeypatch.setattr(connection, "CUT_S", 0.0)
    made: list[Protocol] = []
    begin = Protocol.connection_made

    def connection_made(self: Protocol, transport: asyncio.BaseTransport) -> None:
        made.append(self)
        begin(self, transport)

    monkeypatch.setattr(Protocol, "connection_made", connection_made)
    return lambda: made[0].disconnected


async def test_who_reads_nothing_hears_no_more_after_the_token_is_revoked(
    monkeypatch: pytest.MonkeyPatch, config: Config, tmp_path: Path, ended: Callable[[], bool]
) -> None:
    monkeypatch.setattr(outbox, "REST_S", 60.0)
    keys = Keys(tmp_path / "tokens.json")
    token = keys.add("phones")
    async with asking(config, keys.path) as running, asyncio.timeout(20):
        url = f"{running.ws_url}/v1/events?type=status"
        async with connect(url, additional_headers=bearer(token), max_queue=1) as listener:
            before = await until_stuck(running)
            keys.revoke(token)
            running.gate.sweep()
            shout(running, before)
            await until(ended)
            numbers = await heard(listener)
        assert numbers == list(range(len(numbers)))
        assert len(numbers) <= before - MANY
        assert count(running, "messages_missed_total") > MANY


async def test_who_reads_nothing_is_cut_off_a_while_after_a_close(
    monkeypatch: pytest.MonkeyPatch, running: Service, ended: Callable[[], bool]
) -> None:
    monkeypatch.setattr(outbox, "REST_S", 0.1)
    url = f"{running.ws_url}/v1/events?type=status"
    async with asyncio.timeout(20), connect(url, max_queue=1) as listener:
        before = await until_stuck(running)
        (one,) = running.hub.publisher._listeners._everything
        one.outbox.close(1001, "going")
        shout(running, before)
        await until(ended)
        assert len(await heard(listener)) < before
        assert count(running, "messages_missed_total") > 1
