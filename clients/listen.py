"""Anyone listens: `async for message in watch(url)`, over WebSocket and MQTT alike."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from clients.address import Address, WebSocketAddress, parse
from clients.errors import UnreachableError
from clients.listen_mqtt import MqttListener
from clients.listen_websocket import Hand, WebSocketListener
from clients.messages import Back, Heard, Lost, Message
from clients.reconnect import keep_connected
from stream.errors import ParameterError
from stream.wire import check_id

Kind = Literal["activity", "prediction", "status", "quality", "waveform"]
DEFAULT_KINDS: tuple[Kind, ...] = ("activity", "status")
MAX_QUEUE = 1_000  # then reading stops, and the server counts what a listener misses


async def watch(
    url: str,
    *,
    devices: Sequence[str] = (),
    types: Sequence[Kind] = DEFAULT_KINDS,
    since: str | None = None,
    token: str | None = None,
    ca: Path | None = None,
    patience_s: float | None = None,
) -> AsyncGenerator[Message]:
    """Yield what happens to `devices` (none: to all), for ever; `state` of each comes first.

    `since` is the last id seen: what the server's history holds after it comes again (WebSocket
    only). `ca` is the file of an authority to trust over TLS. A broken connection is made again,
    for `patience_s` at most (None: for ever); over WebSocket the predictions and activity events
    that came meanwhile, after the last one heard, come then.
    Raises UnreachableError or RefusedError where it ends.
    """
    following = follow(
        url, devices=devices, types=types, since=since, token=token, ca=ca, patience_s=patience_s
    )
    async with aclosing(following) as messages:
        async for message in messages:
            if not isinstance(message, Lost | Back):
                yield message


async def follow(
    url: str,
    *,
    devices: Sequence[str] = (),
    types: Sequence[Kind] = DEFAULT_KINDS,
    since: str | None = None,
    token: str | None = None,
    ca: Path | None = None,
    patience_s: float | None = None,
) -> AsyncGenerator[Heard]:
    """Yield as `watch` does, and say between the messages where the connection broke."""
    queue: asyncio.Queue[Heard] = asyncio.Queue(MAX_QUEUE)
    address = parse(url, ca)
    listener = _listener(address, [check_id("device", d) for d in devices], types, since, token)
    link = _Link(address, listener, queue.put)
    task = asyncio.create_task(link.keep(patience_s), name=f"watch {url}")
    try:
        while (message := await _next(queue, task)) is not None:
            yield message
    finally:
        task.cancel()
        await asyncio.wait([task])
    task.result()


def _listener(
    address: Address,
    devices: list[str],
    types: Sequence[Kind],
    since: str | None,
    token: str | None,
) -> WebSocketListener | MqttListener:
    if isinstance(address, WebSocketAddress):
        return WebSocketListener(address, devices, types, since, token)
    if since is not None:
        raise ParameterError(f"since = {since!r}: a broker has no history; watch by ws://")
    if "waveform" in types:
        raise ParameterError("types = waveform: a broker carries none; watch by ws://")
    return MqttListener(address, devices, types)


class _Link:
    """A listener's connections one after another, and word of where one broke or stands again."""

    def __init__(
        self, address: Address, listener: WebSocketListener | MqttListener, hand: Hand
    ) -> None:
        self._address = str(address)
        self._listener = listener
        self._hand = hand
        self._lost = False

    async def keep(self, patience_s: float | None) -> None:
        await keep_connected(
            self._run,
            opened=lambda: self._listener.opened,
            finished=lambda: False,
            patience_s=patience_s,
        )

    async def _run(self) -> None:
        try:
            await self._listener.run(self._stands, self._hand)
        except UnreachableError:
            await self._broke()
            raise
        await self._broke()

    async def _stands(self) -> None:
        if self._lost:
            self._lost = False
            await self._hand(Back(self._address, datetime.now(UTC)))

    async def _broke(self) -> None:
        if self._listener.opened and not self._lost:
            self._lost = True
            await self._hand(Lost(self._address, datetime.now(UTC)))


async def _next(queue: asyncio.Queue[Heard], task: asyncio.Task[None]) -> Heard | None:
    """Wait for a message; None once the listener has ended and everything was yielded."""
    if not queue.empty():
        return queue.get_nowait()
    getter = asyncio.create_task(queue.get())
    try:
        await asyncio.wait((getter, task), return_when=asyncio.FIRST_COMPLETED)
        return getter.result() if getter.done() else None
    finally:
        getter.cancel()
