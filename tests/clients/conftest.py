"""What the clients' tests need: a server that follows a script, and reconnects that don't wait."""

from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from clients import reconnect
from stream import events, wire
from stream.config import Wire
from stream.wire import Frame, Source


class Talk:
    """One connection, as the scripted server sees it."""

    def __init__(self, websocket: ServerConnection) -> None:
        assert websocket.request is not None
        self.path_with_query = websocket.request.path
        parts = urlsplit(self.path_with_query)
        self.path = parts.path
        self.query = dict(parse_qsl(parts.query))
        self.headers = websocket.request.headers
        self.websocket = websocket

    async def send(self, message: events.Message | dict[str, object]) -> None:
        await self.websocket.send(msgspec.json.encode(message), text=True)

    async def welcome(self, next_seq: int = 0, session: str = "S") -> None:
        await self.send(
            events.Welcome(
                device=self.query["device"],
                session=session,
                next_seq=next_seq,
                expires_s=600,
                grid_hz=20,
                window=200,
                hop=40,
                activities=("Sitting", "Walking"),
                model="toy@1",
            )
        )

    async def frame(self) -> Frame:
        raw = await self.websocket.recv()
        return wire.decode(raw, Source(), Wire(), text=isinstance(raw, str))

    async def ack(self, seq: int, session: str = "S") -> None:
        await self.send(events.Ack(session=session, seq=seq))

    async def take(self, count: int) -> list[Frame]:
        """Take frames and ack each."""
        frames = []
        for _ in range(count):
            frames.append(await self.frame())
            await self.ack(frames[-1].seq or 0)
        return frames

    async def close(self, code: int, reason: str = "") -> None:
        await self.websocket.close(code, reason)

    def cut(self) -> None:
        """Break the connection as a lost network does."""
        self.websocket.transport.abort()

    async def until_closed(self) -> int | None:
        """Wait until the client closes; return its code."""
        try:
            while True:
                await self.websocket.recv()
        except ConnectionClosed:
            return self.websocket.close_code


Script = Callable[[Talk], Awaitable[None]]


class Peer:
    """A server whose n-th connection follows the n-th script; a failing script fails the test."""

    def __init__(self) -> None:
        self.url = ""
        self.talks: list[Talk] = []
        self.failures: list[Exception] = []
        self._scripts: list[Script] = []

    def follow(self, *scripts: Script) -> None:
        self._scripts += scripts

    async def handle(self, websocket: ServerConnection) -> None:
        talk = Talk(websocket)
        if "Authorization" not in talk.headers:  # said instead, and ignored by an open server
            assert msgspec.json.decode(await websocket.recv()) == {"type": "auth", "token": ""}
        self.talks.append(talk)
        if len(self.talks) > len(self._scripts):
            self.failures.append(AssertionError(f"connection {len(self.talks)} is one too many"))
            return await websocket.close(4403)
        try:
            await self._scripts[len(self.talks) - 1](talk)
        except Exception as error:
            self.failures.append(error)
            raise


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    async with serve(peer.handle, "127.0.0.1", 0) as server:
        host, port = next(iter(server.sockets)).getsockname()
        peer.url = f"ws://{host}:{port}"
        yield peer
    assert not peer.failures


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect again after milliseconds."""
    monkeypatch.setattr(reconnect, "FIRST_WAIT_S", 0.005)
    monkeypatch.setattr(reconnect, "LONGEST_WAIT_S", 0.02)
    monkeypatch.setattr(reconnect, "JITTER_S", 0.005)
