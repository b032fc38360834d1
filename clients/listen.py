"""Anyone listens: `async for message in watch(url)`, over WebSocket and MQTT alike."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Literal

from clients.address import WebSocketAddress, parse
from clients.listen_mqtt import MqttListener
from clients.listen_websocket import WebSocketListener
from clients.messages import Message
from clients.reconnect import keep_connected
from stream.errors import ParameterError
from stream.wire import check_id

Kind = Literal["activity", "prediction", "status", "quality"]
DEFAULT_KINDS: tuple[Kind, ...] = ("activity", "status")
MAX_QUEUE = 1_000  # then reading stops, and the server counts what a listener misses


async def watch(
    url: str,
    *,
    devices: Sequence[str] = (),
    types: Sequence[Kind] = DEFAULT_KINDS,
    since: str | None = None,
    token: str | None = None,
    patience_s: float | None = None,
) -> AsyncGenerator[Message]:
    """Yield what happens to `devices` (none: to all), for ever; `state` of each comes first.

    `since` is the last id seen: what the server's history holds after it comes again (WebSocket
    only). A broken connection is made again, for `patience_s` at most (None: for ever), and over
    WebSocket nothing is missed meanwhile. Raises UnreachableError or RefusedError where it ends.
    """
    queue: asyncio.Queue[Message] = asyncio.Queue(MAX_QUEUE)
    listener = _listener(url, [check_id("device", name) for name in devices], types, since, token)
    task = asyncio.create_task(_listen(listener, queue, patience_s), name=f"watch {url}")
    try:
        while (message := await _next(queue, task)) is not None:
            yield message
    finally:
        task.cancel()
        await asyncio.wait([task])
    task.result()


def _listener(
    url: str, devices: list[str], types: Sequence[Kind], since: str | None, token: str | None
) -> WebSocketListener | MqttListener:
    address = parse(url)
    if isinstance(address, WebSocketAddress):
        return WebSocketListener(address, devices, types, since, token)
    if since is not None:
        raise ParameterError(f"since = {since!r}: a broker has no history; watch by ws://")
    return MqttListener(address, devices, types)


async def _listen(
    listener: WebSocketListener | MqttListener,
    queue: asyncio.Queue[Message],
    patience_s: float | None,
) -> None:
    run: Callable[[], Awaitable[None]] = lambda: listener.run(queue.put)  # noqa: E731
    await keep_connected(
        run,
        opened=lambda: listener.opened,
        finished=lambda: False,
        patience_s=patience_s,
    )


async def _next(queue: asyncio.Queue[Message], task: asyncio.Task[None]) -> Message | None:
    """Wait for a message; None once the listener has ended and everything was yielded."""
    if not queue.empty():
        return queue.get_nowait()
    getter = asyncio.create_task(queue.get())
    try:
        await asyncio.wait((getter, task), return_when=asyncio.FIRST_COMPLETED)
        return getter.result() if getter.done() else None
    finally:
        getter.cancel()
