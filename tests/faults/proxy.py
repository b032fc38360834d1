"""A proxy that treats connections as a bad network does: it delays, cuts, swallows.

A connection's data stay in order. Those of several do not: each piece has a delay of its own, and
what a connection sent before it was cut may arrive after the next one has begun.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

import numpy as np

PIECE = 4096  # bytes at most that are passed on at once: messages are torn apart
CUT_AFTER = 2000  # bytes at most that pass before a connection is cut: amid a message
WAITING = 64  # pieces on their way at most
DELAY_S = 0.02  # at most, for each piece
LATE_S = 0.5  # at most, for what was on its way when a connection was cut
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a close sends RST, and drops what waits

Heading = Literal["up", "down"]  # up: from who connects to who listens
Fault = Literal["cut", "late", "half-open", "deaf", "mute"]
FAULTS: tuple[Fault, ...] = ("cut", "late", "half-open", "deaf", "mute")
SWALLOWED: dict[Fault, tuple[Heading, ...]] = {
    "half-open": ("up", "down"),
    "deaf": ("down",),
    "mute": ("up",),
}


class Way:
    """One direction of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(WAITING)  # when each is due
        self.over = False  # its sender has closed
        self.swallows = False
        self.held = False  # passed on late, and after that nothing more
        self.left: int | None = None  # bytes until the connection is cut


class Line:
    """One connection: both ways, until both ends have let go of it."""

    def __init__(self, ways: dict[Heading, Way], rng: np.random.Generator) -> None:
        self.ways = ways
        self.broken = False  # nothing more comes of it, though the ends may not know
        self.ended = asyncio.Event()
        self._rng = rng

    async def run(self) -> None:
        """Pass everything on until both ends are closed."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for heading, way in self.ways.items():
                    tasks.create_task(self._take(way), name=f"takes what goes {heading}")
                    tasks.create_task(self._give(way), name=f"gives what goes {heading}")
        finally:
            self.reset()
            self.ended.set()

    def reset(self) -> None:
        """Send RST to both ends, as routers do that have forgotten a connection."""
        self.broken = True
        for way in self.ways.values():
            reset(way.writer)

    def harm(self, fault: Fault) -> None:
        """Do to it what `fault` says, in the middle of a message."""
        self.broken = True
        if fault == "late":
            self.ways["up"].held = True
            loop = asyncio.get_running_loop()
            loop.call_later(self._rng.uniform(0, LATE_S), reset, self.ways["down"].writer)
        elif fault == "cut":
            for way in self.ways.values():
                way.left = int(self._rng.integers(1, CUT_AFTER))
        for heading in SWALLOWED.get(fault, ()):
            self.ways[heading].swallows = True

    async def _take(self, way: Way) -> None:
        """Take what a sender sends, torn into pieces, until it closes."""
        now, due = asyncio.get_running_loop().time, 0.0
        with suppress(OSError):
            while data := await way.reader.read(int(self._rng.integers(1, PIECE))):
                due = max(now() + self._rng.uniform(0, LATE_S if way.held else DELAY_S), due)
                await way.pieces.put((due, data))
        way.over = True
        await way.pieces.put((due, b""))

    async def _give(self, way: Way) -> None:
        """Give each piece to the receiver when it is due, and at last its sender's close."""
        now = asyncio.get_running_loop().time
        while True:
            due, data = await way.pieces.get()
            await asyncio.sleep(due - now())
            if not way.swallows:
                with suppress(OSError):
                    await self._write(way, data)
            if not data:
                return

    async def _write(self, way: Way, data: bytes) -> None:
        if not data or way.writer.is_closing():
            way.writer.close()
            return
        if way.left is not None:
            data, way.left = data[: way.left], way.left - len(data)
        way.writer.write(data)
        await way.writer.drain()
        if way.left is not None and way.left <= 0:
            self.reset()


class Proxy:
    """All connections through one port, and what is done to them."""

    def __init__(self, rng: np.random.Generator, behind: int) -> None:
        self.lines: list[Line] = []
        self._rng = rng
        self._behind = behind  # port
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def whole(self) -> list[Line]:
        """The connections that stand, and that nothing was done to."""
        return [line for line in self.lines if not (line.broken or line.ended.is_set())]

    def harm(self, fault: Fault) -> list[Line]:
        """Do to all that are whole what `fault` says; those that come later are whole."""
        lines = self.whole
        for line in lines:
            line.harm(fault)
        return lines

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection; this is what is called for each."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._behind)
        except OSError:
            reset(writer)
            return
        line = Line({"up": Way(reader, back), "down": Way(there, writer)}, self._rng)
        self.lines.append(line)
        with suppress(asyncio.CancelledError):  # by `over` alone; asyncio's streams would log it
            await line.run()

    async def over(self) -> None:
        """Let go of all connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection by RST."""
    connection = writer.get_extra_info("socket")
    if connection is not None and not writer.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


@asynccontextmanager
async def proxied(rng: np.random.Generator, behind: int) -> AsyncIterator[tuple[int, Proxy]]:
    """Yield the port of a proxy before the port `behind`, and the proxy."""
    proxy = Proxy(rng, behind)
    async with await asyncio.start_server(proxy.carry, "127.0.0.1", 0) as listening:
        try:
            yield listening.sockets[0].getsockname()[1], proxy
        finally:
            listening.close()
            await proxy.over()
