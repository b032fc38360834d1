"""TCP: apps that connect and send message after message, each app at a port of its own.

Their messages name no device: it is the app at the phone's address, as in hyperimu-192.168.1.20.
Nothing is answered, as these apps read nothing.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from math import inf
from typing import NamedTuple

from stream import apps, config
from stream.dialects.dialect import Dialect, valid_id
from stream.errors import DeviceError, GaitwayError, OverloadedError, TooManyError
from stream.gate import Gate
from stream.hub import Hub
from stream.readings import Push, Reading
from stream.splitter import Splitter
from stream.visitor import Stream

CHANNEL = "tcp"
READ_BYTES = 65_536
HANDOVER_S = 1.0  # for what is still to be read of a device's older connection
CLOSE_S = 1.0  # from hanging up to the end of what has come
WARN_EVERY_S = 10.0
log = logging.getLogger(__name__)


class Connection:
    """What one phone sends over one connection; knows no socket."""

    def __init__(
        self,
        device: str,
        dialect: Dialect,
        settings: config.Config,
        hub: Hub,
        allowed: Stream,
    ) -> None:
        self.device = device
        self.allowed = allowed
        self._dialect = dialect
        self._max_bytes = settings.tcp.max_message_bytes
        self._splitter = Splitter(dialect.message, self._max_bytes)
        self._limits = settings.wire
        self._hub = hub
        self._refused = 0  # messages in a row
        self._last = ""  # why the last of them was

    async def feed(self, data: bytes) -> None:
        """Take bytes as they came; nonsense is refused and counted, message by message.

        Raises DeviceError where the connection can't go on after it, and OverloadedError where
        there is no room.
        """
        pushes = [self._read(message) for message in self._splitter.feed(data)]
        taken = [push for push in pushes if push is not None]
        if taken:
            await self._take([reading for push in taken for reading in push.readings])
        if self._splitter.overlong:
            error = DeviceError(f"a message has at most {self._max_bytes} bytes")
            self._refuse(error)
            raise error
        if self._refused >= self._hub.options.max_bad_frames:
            raise DeviceError(f"{self._refused} messages in a row were nonsense: {self._last}")

    def _read(self, message: bytes) -> Push | None:
        try:
            push = self._dialect.read(message, self._limits)
        except DeviceError as error:
            self._refuse(error)
            return None
        self._refused = 0
        return push

    async def _take(self, readings: list[Reading]) -> None:
        """Take what several messages held as one, for a fraction of the work."""
        self.allowed.samples(len(readings))
        push = Push(self.device, None, 0, readings)
        try:
            advice = await apps.feed(
                self._hub, CHANNEL, self._dialect, self._limits, push, self.device
            )
        except DeviceError as error:
            self._refuse(error)
            return
        if advice.text and not advice.published:
            log.warning("TCP: %s: %s", self.device, advice.text)

    def _refuse(self, error: DeviceError) -> None:
        self._hub.refuse(None, CHANNEL, error)
        self._refused += 1
        self._last = str(error)


class _Served(NamedTuple):
    """A connection that is being served."""

    task: asyncio.Task[None]
    writer: asyncio.StreamWriter

    async def end(self, patience_s: float = 0.0) -> None:
        """Hang up, unless the phone does so within `patience_s`; what has come is still taken."""
        if not await self._over(patience_s):
            self.writer.close()
            if not await self._over(CLOSE_S):
                self.task.cancel()

    async def _over(self, within_s: float) -> bool:
        done, _ = await asyncio.wait([self.task], timeout=within_s)
        return bool(done)


class Doors:
    """The ports of all apps, and the connections that came in by them."""

    def __init__(self, settings: config.Config, hub: Hub, gate: Gate) -> None:
        self.ports: dict[str, int] = {}  # by app
        self._settings = settings
        self._hub = hub
        self._gate = gate
        self._servers: list[asyncio.Server] = []
        self._served: set[_Served] = set()
        self._newest: dict[str, _Served] = {}  # by device
        self._warned_s = -inf  # monotonic; an app that connects for ever would fill the log

    async def open(self, dialect: Dialect, listening: socket.socket) -> None:
        """Let an app's phones in."""
        accept = partial(self._accept, dialect)
        limit = self._settings.tcp.max_message_bytes  # what is read ahead
        # asyncio runs `accept` as a task for each connection: a fault of ours ends only that one.
        server = await asyncio.start_server(accept, sock=listening, limit=limit)
        self._servers.append(server)
        self.ports[dialect.name] = listening.getsockname()[1]

    def shut(self) -> None:
        """Let nobody new in."""
        for server in self._servers:
            server.close()

    async def hang_up(self) -> None:
        """End all connections, once nobody new is let in."""
        await asyncio.gather(*(served.end() for served in list(self._served)))
        for server in self._servers:
            await server.wait_closed()

    async def _accept(
        self, dialect: Dialect, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve one connection until it ends."""
        peer, task = writer.get_extra_info("peername"), asyncio.current_task()
        if not peer or task is None:  # the phone is gone already
            writer.close()
            return
        device = valid_id(f"{dialect.name}-{peer[0]}")
        task.set_name(f"tcp {device}")
        served = _Served(task, writer)
        self._served.add(served)
        allowed = self._gate.by_tcp(device, peer[0])
        connection = Connection(device, dialect, self._settings, self._hub, allowed)
        try:
            with allowed.connected():
                await self._serve(served, connection, reader)
        except DeviceError as error:
            self._warn(device, error)
        except OverloadedError as error:
            self._hub.metrics.refused.labels(CHANNEL, error.code).inc()
            self._warn(device, error)
        except OSError as error:  # TimeoutError is one
            log.info("TCP: %s: lost: %s", device, error or "it says nothing")
        finally:
            self._served.remove(served)
            writer.close()

    async def _serve(
        self, served: _Served, connection: Connection, reader: asyncio.StreamReader
    ) -> None:
        """Take the place of the device's older connection, and read until the phone closes."""
        if len(self._served) > self._settings.tcp.max_connections:
            raise TooManyError(f"{len(self._served) - 1} connections are open, no more are allowed")
        device = connection.device
        older, self._newest[device] = self._newest.get(device), served
        try:
            if older is not None:
                await older.end(HANDOVER_S)
            await self._read(connection, reader)
        finally:
            if self._newest.get(device) is served:
                del self._newest[device]

    def _warn(self, device: str, error: GaitwayError) -> None:
        """Say why a connection was closed, but not too often."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._warned_s >= WARN_EVERY_S:
            self._warned_s = now_s
            log.warning("TCP: %s: closed: %s", device, error)

    async def _read(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        """Read until the phone closes; raises TimeoutError when it has been silent for long."""
        batcher = self._hub.models.of(connection.device).batcher
        while True:
            async with asyncio.timeout(self._settings.hub.expires_s):
                data = await reader.read(READ_BYTES)
            if not data:
                return
            await _pace(connection.allowed, len(data))
            await batcher.room()
            await connection.feed(data)
            await asyncio.sleep(0)  # reading on does not wait where more has come already


@asynccontextmanager
async def opened(
    settings: config.Config,
    hub: Hub,
    gate: Gate,
    listening: Iterable[tuple[Dialect, socket.socket]],
) -> AsyncIterator[Doors]:
    """Let the phones of all apps in for as long as the context lasts."""
    doors = Doors(settings, hub, gate)
    try:
        for dialect, own in listening:
            await doors.open(dialect, own)
        yield doors
    finally:
        doors.shut()
        await doors.hang_up()


async def _pace(allowed: Stream, size: int) -> None:
    """Read on when the limits allow it: TCP itself holds a phone back that sends faster."""
    while (wait_s := allowed.wait_s()) > 0:  # noqa: ASYNC110  nobody else knows when it is over
        await asyncio.sleep(wait_s)
    allowed.message(size)
