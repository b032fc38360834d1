"""A line between client and server that breaks after so many bytes, as a phone's network does."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class LossyLine:
    """Forwards to a server; connection k is cut once `cuts[k]` bytes went through it."""

    def __init__(self, server_url: str, cuts: list[int]) -> None:
        parts = urlsplit(server_url)
        self._server = (parts.hostname, parts.port)
        self._cuts: Iterator[int] = iter(cuts)
        self.connections = 0

    def break_after(self, cuts: list[int]) -> None:
        """Cut the connections that come from now on after so many bytes each."""
        self._cuts = iter(cuts)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        left = [next(self._cuts, 1 << 60)]
        there, back = await asyncio.open_connection(*self._server)
        both = (self._forward(reader, back, left), self._forward(there, writer, left))
        tasks = [asyncio.create_task(work) for work in both]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for one in (writer, back):
            one.transport.abort()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: list[int]
    ) -> None:
        with suppress(ConnectionError):
            while left[0] > 0 and (data := await reader.read(512)):
                left[0] -= len(data)
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def lossy(server_url: str, cuts: list[int]) -> AsyncIterator[tuple[str, LossyLine]]:
    """Yield the URL of a line to the server that breaks as told."""
    line = LossyLine(server_url, cuts)
    async with await asyncio.start_server(line.carry, "127.0.0.1", 0) as listening:
        host, port = listening.sockets[0].getsockname()
        yield f"ws://{host}:{port}", line
