"""Calls SensorServer by WebSocket. The app sends reading by reading; they are taken in groups."""

import asyncio
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from stream.dial.line import Line
from stream.dial.unreachable import unreachable
from stream.errors import DeviceError, UnreachableError
from stream.sensor_apps.dialects import sensor_server
from stream.sensor_apps.readings import Reading

GATHER_S = 0.1  # readings wait so long for others, at most
MAX_GATHERED = 256  # and no more of them wait
PATIENCE = 30  # groups of nothing but other sensors, at least 3 s, before somebody is told
CLOSE_S = 1.0  # how long a phone may take to say goodbye


class _Connect(connect):
    """Doesn't let a phone send us elsewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Caller:
    """Keeps one connection at a time, until it breaks."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._useless = 0  # groups in a row that held other sensors only

    async def serve(self) -> None:
        """Connect and take what comes, until cancelled; raises UnreachableError when it breaks."""
        try:
            async with _Connect(
                self._line.phone.url,
                compression=None,
                proxy=None,
                close_timeout=CLOSE_S,
                max_size=self._line.limits.max_frame_bytes,
            ) as socket:
                await self._listen(socket)
        except ConnectionClosed as closed:
            raise UnreachableError(_why(closed)) from closed
        except (OSError, WebSocketException) as error:  # a timeout is an OSError, too
            foreign = isinstance(error, WebSocketException)
            raise unreachable(error, sensor_server.START, foreign=foreign) from error

    async def _listen(self, socket: ClientConnection) -> None:
        self._line.connected()
        self._useless = 0
        try:
            while True:
                await self._line.take(self._read(await _gather(socket)))
        finally:
            await socket.close(1001)

    def _read(self, messages: list[bytes]) -> list[Reading]:
        readings: list[Reading] = []
        others = 0
        for message in messages:
            try:
                push = sensor_server.read(message, self._line.limits)
            except DeviceError as error:
                self._line.refuse(error)
            else:
                self._line.accept()
                readings += push.readings
                others += push.other
        self._look_for_acceleration(len(readings), others)
        return readings

    def _look_for_acceleration(self, readings: int, others: int) -> None:
        """Say what is missing where only other sensors come: no session begins that would."""
        if readings:
            self._useless = 0
        elif others:
            self._useless += 1
            if self._useless >= PATIENCE:
                self._line.say(sensor_server.MISSING)


async def _gather(socket: ClientConnection) -> list[bytes]:
    """Wait for a message, and a moment for those that follow it.

    When the connection breaks, what came before is returned first.
    """
    messages = [await socket.recv(decode=False)]
    with suppress(TimeoutError, ConnectionClosed):
        async with asyncio.timeout(GATHER_S):
            while len(messages) < MAX_GATHERED:
                messages.append(await socket.recv(decode=False))
    return messages


def _why(closed: ConnectionClosed) -> str:
    if closed.rcvd is None:
        return "the connection broke: keep the phone in this network, and the app open"
    code = closed.rcvd.code
    todo = sensor_server.CLOSED.get(code, f"the phone closed the connection: {sensor_server.START}")
    return f"{todo} (close code {code})"
