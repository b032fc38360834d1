"""Speaks like the app phyphox: a phone that answers by HTTP, of one experiment at a time."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from math import floor, inf, log10
from urllib.parse import parse_qsl, urlsplit

WITH_G = ("acc_time", "accX", "accY", "accZ", "acc")


def digits(value: float) -> str:
    """Write a number as phyphox does: eight digits."""
    return f"{value:.7E}"


class FakePhone:
    """A phone with remote access allowed; a test opens experiments, measures, and breaks it."""

    def __init__(self) -> None:
        self.port = 0
        self.session = "a1b2c3"
        self.measuring = False
        self.count_down_ms = 0
        self.refuses_to_start = False
        self.nonsense: list[bytes] = []  # answers that are given instead
        self.asked: list[str] = []  # paths and queries
        self.news = asyncio.Condition()  # told of every question that was answered
        self._buffers: dict[str, list[float]] = {name: [] for name in WITH_G}
        self._everything = False  # the next answer holds all there is
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Allow remote access; the port stays the same."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Forbid remote access; the experiment goes on."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def feel(self, readings: Iterable[tuple[float, Iterable[float]]]) -> None:
        """Measure: times in s since the experiment's start, and vectors."""
        for t, xyz in readings:
            x, y, z = (float(v) for v in xyz)
            for name, value in zip(WITH_G, (t, x, y, z, abs(z)), strict=True):
                self._buffers[name].append(value)

    def clear(self) -> None:
        """Clear all data, which stops the experiment."""
        self.measuring, self._everything = False, True
        self._buffers = {name: [] for name in self._buffers}

    def open(self, session: str, buffers: Iterable[str] = WITH_G) -> None:
        """Open another experiment, or the same one anew."""
        self.clear()
        self.session, self._everything = session, False
        self._buffers = {name: [] for name in buffers}

    async def asked_again(self, times: int = 1) -> None:
        """Wait until it was asked, and has answered, so many times from now on."""
        await self._until(len(self.asked) + times, "")

    async def told_to_start(self) -> None:
        """Wait until it was told to measure, if it wasn't yet."""
        await self._until(1, "/control?cmd=start")

    async def _until(self, times: int, beginning: str) -> None:
        def enough() -> bool:
            return sum(asked.startswith(beginning) for asked in self.asked) >= times

        async with asyncio.timeout(20), self.news:
            await self.news.wait_for(enough)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:  # who called has gone
            writer.close()
            return
        target = request.split()[1]
        body = self.nonsense.pop(0) if self.nonsense else self._answer(target).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        writer.write(head.encode() + b"\r\nConnection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()
        self.asked.append(target)
        async with self.news:
            self.news.notify_all()

    def _answer(self, target: str) -> str:
        url = urlsplit(target)
        query = parse_qsl(url.query, keep_blank_values=True)
        if url.path == "/control":
            return json.dumps({"result": self._control(dict(query).get("cmd", ""))})
        known = [(name, wanted) for name, wanted in query if name in self._buffers]
        buffers = ",\n".join(self._buffer(name, wanted) for name, wanted in known)
        self._everything = False
        measuring = str(self.measuring).lower()
        return (
            f'{{"buffer":{{\n{buffers}\n}},\n"status":{{\n"session":"{self.session}", '
            f'"measuring":{measuring}, "timedRun":{str(self.count_down_ms > 0).lower()}, '
            f'"countDown":{self.count_down_ms}\n}}\n}}\n'
        )

    def _control(self, command: str) -> bool:
        if command != "start" or self.refuses_to_start:
            return False
        self.measuring = True
        return True

    def _buffer(self, name: str, wanted: str) -> str:
        values = self._buffers[name]
        if not wanted:
            last = digits(values[-1]) if values else "null"
            return f'"{name}":{{"size":0,"updateMode":"single", "buffer":[{last}]}}'
        threshold, reference, mode = -inf, name, "full"
        if wanted != "full" and not self._everything:
            text, _, by = wanted.partition("|")
            threshold, reference, mode = float(text), by or name, "partial"
            if threshold:  # so that no number is sent twice for want of digits
                threshold += 10.0 ** floor(log10(abs(threshold) / 1e7))
        pairs = zip(values, self._buffers[reference], strict=True)
        chosen = ",".join(digits(value) for value, by_value in pairs if by_value > threshold)
        return f'"{name}":{{"size":0,"updateMode":"{mode}", "buffer":[{chosen}]}}'


@asynccontextmanager
async def phone() -> AsyncIterator[FakePhone]:
    """A phone with remote access allowed and "Acceleration (with g)" open, not measuring."""
    fake = FakePhone()
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()
