"""Speaks like the app SensorServer: a phone that serves its readings by WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve

SENSORS = {"android.sensor.accelerometer", "android.sensor.gyroscope", "android.sensor.light"}
BOOT_NS = 3_925_657_519_043_709  # what the phone's clock shows when a test begins


def message(t: float, xyz: Iterable[float], sensor: str = "") -> str:
    """Write a reading at `t` s as the app does; with its type where several were asked for."""
    body: dict[str, Any] = {
        "values": [float(v) for v in xyz],
        "accuracy": 3,
        "timestamp": BOOT_NS + round(t * 1e9),
    }
    return json.dumps(body | ({"type": sensor} if sensor else {}))


class FakePhone:
    """A phone with the app running; it may be stopped, started anew, and lose connections."""

    def __init__(self) -> None:
        self.port = 0
        self.called = asyncio.Queue[ServerConnection]()  # connections that were accepted
        self._server: Server | None = None
        self._several: set[ServerConnection] = set()
        self._connected: set[ServerConnection] = set()

    @property
    def url(self) -> str:
        """The bare address."""
        return f"ws://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Press Start; the port stays the same."""
        self._server = await serve(self._serve, "127.0.0.1", self.port)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Press Stop."""
        if self._server is None:
            return
        for connection in list(self._connected):
            await connection.close(4004, "Server stopped")
        self._server.close()
        await self._server.wait_closed()
        self._server = None

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        url = urlsplit(connection.request.path)
        refusal = _refusal(url.path.lower(), parse_qs(url.query, keep_blank_values=True))
        if refusal:
            await connection.close(*refusal)
            return
        if url.path.lower() == "/sensors/connect":
            self._several.add(connection)
        self._connected.add(connection)
        self.called.put_nowait(connection)
        await connection.wait_closed()
        self._connected.discard(connection)

    async def feel(self, readings: Iterable[tuple[float, Iterable[float]]]) -> None:
        """Send readings of the accelerometer, times and vectors, to everyone connected."""
        for t, xyz in readings:
            for connection in list(self._connected):
                if connection in self._several:
                    await connection.send(message(t, (0.1, 0.2, 0.3), "android.sensor.gyroscope"))
                    await connection.send(message(t, xyz, "android.sensor.accelerometer"))
                else:
                    await connection.send(message(t, xyz))

    async def say(self, text: str | bytes) -> None:
        """Send whatever to everyone connected."""
        for connection in list(self._connected):
            await connection.send(text)

    async def drop(self) -> None:
        """Lose all connections once what was sent has left, without a word of goodbye."""
        for connection in list(self._connected):
            connection.transport.close()
            await connection.wait_closed()


def _refusal(path: str, query: dict[str, list[str]]) -> tuple[int, str] | None:
    """Return the close code and the reason of what the app doesn't serve."""
    if path not in {"/sensor/connect", "/sensors/connect"}:
        return 4002, "unsupported request"
    several = path == "/sensors/connect"
    asked = query.get("types" if several else "type")
    if asked is None:
        return 4003, "<type> param required"
    try:
        types: list[str] = json.loads(asked[0]) if several else asked
    except ValueError:
        return 4006, f"Syntax error : {asked[0]} is not valid JSON array"
    if several and len(types) == 1:
        return 4007, "At least two sensor types must be specified"
    if types in ([], [""]):
        return 4008, "No sensor specified"
    unknown = [name for name in types if name.lower() not in SENSORS]
    return (4001, f"Sensor of type {unknown[0]} not found") if unknown else None


@asynccontextmanager
async def phone() -> AsyncIterator[FakePhone]:
    """A phone with the app started."""
    fake = FakePhone()
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()
