"""Listens on a server's WebSocket and remembers where it stood, to go on there."""

from collections.abc import Awaitable, Callable, Sequence

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from clients.address import WebSocketAddress
from clients.messages import Heard, decode
from clients.websocket_link import judge, open_websocket
from stream.events import Ended, Prediction, Started

Hand = Callable[[Heard], Awaitable[None]]
Stands = Callable[[], Awaitable[None]]


class WebSocketListener:
    """Runs a listener's connections, one at a time."""

    def __init__(
        self,
        address: WebSocketAddress,
        devices: Sequence[str],
        types: Sequence[str],
        since: str | None,
        token: str | None,
    ) -> None:
        self.opened = False
        self._address = address
        self._devices = ",".join(devices) or None
        self._types = ",".join(types) or None
        self._since = since
        self._token = token
        self._heard = 0

    async def run(self, stands: Stands, hand: Hand) -> None:
        """Connect, call `stands`, and hand over messages until the end; raises as `judge` does."""
        heard = self._heard
        url = self._address.events(device=self._devices, type=self._types, since=self._since)
        websocket = await open_websocket(url, self._token, self._address.ca)
        self.opened = True
        try:
            await stands()
            await self._read(websocket, hand)
        except ConnectionClosed:
            judge(websocket, progress=self._heard > heard)
        finally:
            await websocket.close()

    async def _read(self, websocket: ClientConnection, hand: Hand) -> None:
        while True:
            message = decode(await websocket.recv())
            if isinstance(message, Prediction | Started | Ended):
                self._since = message.id
                self._heard += 1
            await hand(message)
