"""One WebSocket, from accepting to closing: letting in, reading, writing, and why it ends.

Knows no frame and no event.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from starlette.websockets import (
    WebSocket,
    WebSocketDisconnect,
    WebSocketDisconnected,
    WebSocketState,
)
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from stream.access.gate import Gate
from stream.access.visitor import Visitor
from stream.doors import answers
from stream.errors import (
    AccessError,
    ForbiddenError,
    JournalError,
    OverloadedError,
    ParameterError,
    UnauthenticatedError,
)
from stream.outbox import ClosedError, Outbox

POLICY, TOO_BIG, OVERLOADED = 1008, 1009, 1013
ACCESS: dict[type[AccessError], int] = {UnauthenticatedError: 4401, ForbiddenError: 4403}
CLOSE_S = 1.0  # how long a close may wait for a peer that reads nothing
CUT_S = 5.0  # and after it, the peer may take so long to read what was sent before
MAX_REASON = 120  # bytes; RFC 6455 allows 123


class Protocol(WebSocketsSansIOProtocol):
    """uvicorn's; a peer that doesn't read to the end is cut off.

    Closing alone would wait for it for as long as it lives.
    """

    _cutting: asyncio.TimerHandle | None = None

    async def run_asgi(self) -> None:
        """Serve until the application is through."""
        await super().run_asgi()
        if not self.disconnected:
            self._cut_soon()

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the application says."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            # Else it logs every refusal as an error of ours: github.com/Kludex/uvicorn/pull/3138
            self.handshake_complete = True

    def keepalive_timeout(self) -> None:
        """Close, since no ping was answered: by a peer that is gone, or that reads nothing."""
        super().keepalive_timeout()
        self.disconnected = True  # else what is sent until it is cut off is an error of ours
        self._cut_soon()

    def _cut_soon(self) -> None:
        if self._cutting is None:
            self._cutting = self.loop.call_later(CUT_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is over."""
        super().connection_lost(exc)
        if self._cutting is not None:
            self._cutting.cancel()


async def serve(websocket: WebSocket, talk: Callable[[Visitor, Outbox], Awaitable[None]]) -> None:
    """Accept, so that browsers see close codes; let in, and `talk`; turn errors into these."""
    state = websocket.app.state
    gate: Gate = state.gate
    outbox = Outbox(state.config.publish.listener_queue)
    await websocket.accept()
    state.outboxes.add(outbox)
    try:
        with gate.connected(websocket):
            visitor = await gate.introduced(websocket)
            with gate.inside(visitor, outbox):
                async with outbox.until_over():
                    await talk(visitor, outbox)
    except AccessError as error:
        gate.turned_away(websocket, error)
        await _close(websocket, ACCESS.get(type(error), POLICY), str(error))
    except ClosedError as closed:
        if closed.code == TOO_BIG:  # uvicorn closes by itself
            state.hub.metrics.refused.labels("websocket", answers.TOO_BIG).inc()
        if closed is outbox.closed:  # what the peer did not read in time is dropped
            state.hub.metrics.missed.inc(outbox.drop())
        await _close(websocket, closed.code, closed.reason)
    except ParameterError as error:
        await _close(websocket, POLICY, str(error))
    except (OverloadedError, JournalError) as error:
        await _close(websocket, OVERLOADED, str(error))
    finally:
        state.outboxes.discard(outbox)


async def _close(websocket: WebSocket, code: int | None, reason: str) -> None:
    gone = websocket.client_state == WebSocketState.DISCONNECTED
    if gone or code is None or websocket.application_state == WebSocketState.DISCONNECTED:
        return
    short = reason.encode()[:MAX_REASON].decode(errors="ignore")
    try:
        async with asyncio.timeout(CLOSE_S):
            await websocket.close(code, short)
    except (TimeoutError, WebSocketDisconnect):
        return  # the peer is gone, or reads nothing: the server drops the connection


async def until_closed(
    writing: Coroutine[Any, Any, None], reading: Coroutine[Any, Any, None]
) -> None:
    """Run both until one raises ClosedError; raise it for them."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(writing, name="writing")
            tasks.create_task(reading, name="reading")
    except* ClosedError as group:
        raise group.exceptions[0] from None


async def writing(websocket: WebSocket, outbox: Outbox) -> None:
    """Send what the outbox holds, until it is closed."""
    while True:
        await send_all(websocket, [await outbox.take()])


async def send_all(websocket: WebSocket, texts: list[str]) -> None:
    """Send messages, if the peer is still there."""
    try:
        for text in texts:
            await websocket.send_text(text)
    except (WebSocketDisconnect, WebSocketDisconnected):
        return  # the peer is gone; reading takes what it sent before, and then says so


async def messages(websocket: WebSocket) -> AsyncIterator[str | bytes]:
    """Yield what the peer sends; raises ClosedError with its code at the end."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise ClosedError(message.get("code"), "closed by the peer")
        text = message.get("text")
        yield text if text is not None else message["bytes"]


async def ignoring(websocket: WebSocket) -> None:
    """Read what nobody asked for, so that a close is noticed."""
    async for _ in messages(websocket):
        pass
