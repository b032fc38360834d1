"""TCP: apps that connect and send message after message, each app at a port of its own.

Their messages name no device: it is the app at the phone's address, as in hyperimu-192.168.1.20.
Nothing is answered, as these apps read nothing.
"""

import asyncio
import logging
import socket
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

from stream import config
from stream.access.gate import Gate
from stream.access.visitor import Stream
from stream.doors.tcp_messages import CHANNEL, Connection
from stream.errors import DeviceError, GaitwayError, OverloadedError, TooManyError
from stream.hub import Hub
from stream.sensor_apps.dialects.dialect import Dialect, valid_id

READ_BYTES = 65_536
HANDOVER_S = 1.0  # for what is still to be read of a device's older connection
CLOSE_S = 1.0  # from hanging up to the end of what has come
WARN_EVERY_S = 10.0  # of a device
WARN_OF = 100  # devices in that time
log = logging.getLogger(__name__)


class _Warnings:
    """Says what is wrong with whom, of each seldom; a nasty phone hides nobody else's trouble."""

    def __init__(self) -> None:
        self._said_s: OrderedDict[str, float] = OrderedDict()  # monotonic, longest ago first

    def say(self, device: str, error: GaitwayError) -> None:
        """Log why a connection was closed, unless that was done of this device just before.

        Where too many are in trouble at once, the others are not named.
        """
        now_s, said_s = asyncio.get_running_loop().time(), self._said_s
        while said_s and next(iter(said_s.values())) <= now_s - WARN_EVERY_S:
            said_s.popitem(last=False)
        if device not in said_s and len(said_s) < WARN_OF:
            said_s[device] = now_s
            log.warning("TCP: %s: closed: %s", device, error)


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
        self._warnings = _Warnings()  # an app that connects for ever would fill the log

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
            self._warnings.say(device, error)
        except OverloadedError as error:
            self._hub.metrics.refused.labels(CHANNEL, error.code).inc()
            self._warnings.say(device, error)
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

    async def _read(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        """Read until the phone closes; raises TimeoutError when it has been silent for long."""
        while True:
            async with asyncio.timeout(self._settings.hub.expires_s):
                data = await reader.read(READ_BYTES)
            if not data:
                return
            await _pace(connection.allowed, len(data))
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
