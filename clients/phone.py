"""A phone as a program sees it: `async with Phone(url, device) as phone: await phone.send(xyz)`.

The same over WebSocket and MQTT. Frames are kept until the server has acked them, so a broken
connection loses nothing; the phone connects again by itself.
"""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path
from types import TracebackType
from typing import Self

from numpy.typing import ArrayLike

from clients.address import Address, MqttAddress, WebSocketAddress, parse
from clients.exchange import Exchange
from clients.frames import GRID_HZ, Encoding, Style, make_frame
from clients.messages import Message
from clients.mqtt_link import MqttLink, Post
from clients.reconnect import keep_connected
from clients.websocket_link import Dial, WebSocketLink
from stream.events import Welcome
from stream.wire import Frame, check_id
from stream.wire.incoming import Label, check_label
from stream.wire.text import Axes, Units

MAX_UNACKED = 64
MAX_INBOX = 10_000
GOODBYE_S = 10.0  # how long a phone without unacked frames tries to end its session


class Phone:
    """One device's session.

    Entering it connects, and raises UnreachableError or RefusedError where that fails. After
    that it connects again by itself, for `patience_s` at most (None: for ever). Leaving it waits
    until all frames are acked and ends the session; leaving it by an exception ends only the
    connection, and the session can be resumed with `session` (over WebSocket). `ca` is the file
    of an authority to trust over TLS; the one that `gaitway serve --https` made here is, without.
    Where the server asks for a token, it is `token`, or in the environment variable GAITWAY_TOKEN.
    """

    def __init__(
        self,
        url: str,
        device: str,
        *,
        session: str | None = None,
        encoding: Encoding = "binary",
        units: Units = "m/s2",
        axes: Axes = "android",
        rate_hz: float = GRID_HZ,
        max_unacked: int = MAX_UNACKED,
        patience_s: float | None = None,
        token: str | None = None,
        ca: Path | None = None,
    ) -> None:
        self.device = check_id("device", device)
        self._style = Style(encoding, units, axes, rate_hz)
        self._patience_s = patience_s
        self._exchange = Exchange(max_unacked, MAX_INBOX)
        self._exchange.session = session if session is None else check_id("session", session)
        self._link = self._make_link(parse(url, ca), token)
        self._task: asyncio.Task[None] | None = None

    def _make_link(self, address: Address, token: str | None) -> WebSocketLink | MqttLink:
        if isinstance(address, WebSocketAddress):
            return WebSocketLink(Dial(address, self.device, self._style, token), self._exchange)
        return self._make_mqtt_link(address)

    def _make_mqtt_link(self, address: MqttAddress) -> MqttLink:
        # An id of our own: the retained ack of an older session is not taken for ours. Over MQTT
        # only text can say what the numbers mean.
        session = self._exchange.session or uuid.uuid4().hex
        self._exchange.session = session
        usual = self._style.units == "m/s2" and self._style.axes == "android"
        style = self._style if usual else self._style._replace(encoding="json")
        return MqttLink(Post(address, self.device, session, style), self._exchange)

    @property
    def session(self) -> str | None:
        """The session's id, once it is known."""
        return self._exchange.session

    @property
    def welcome(self) -> Welcome | None:
        """What the server said first; over MQTT it says nothing."""
        return self._exchange.welcome

    @property
    def unacked(self) -> int:
        """How many frames the phone keeps because the server may not have them."""
        return len(self._exchange.outbox)

    @property
    def missed(self) -> int:
        """How many messages were dropped, oldest first, because nobody read them."""
        return self._exchange.missed

    @property
    def session_base(self) -> int:
        """Samples before the first one of the session as the server knows it.

        Not 0 once a server has forgotten the session and counts from 0 again.
        """
        return self._exchange.outbox.session_base

    async def send(self, xyz: ArrayLike, t: ArrayLike | None = None) -> None:
        """Hand over a frame: samples (n, 3) and their times (n,) in s, or none.

        Waits while `max_unacked` frames are unacked. Raises ParameterError for a wrong shape, and
        ClientError where the connection was given up.
        """
        await self._keep(make_frame(xyz, t, self._style.rate_hz))

    async def label(self, label: str | None, t: float | None = None) -> None:
        """Say what the device does from time `t` in s on, or from the next sample on; None ends it.

        A server that records writes it down, any other answers `not-recorded`. Waits and raises
        as `send` does, and DeviceError for what can't be a label.
        """
        await self._keep(Label(None, t, check_label(label)))

    async def _keep(self, message: Frame | Label) -> None:
        exchange = self._exchange
        await exchange.until_soon(lambda: not exchange.outbox.full, self._patience_s)
        exchange.outbox.add(message)
        exchange.ring()

    async def messages(self) -> AsyncGenerator[Message]:
        """Yield what the server says, each message once; ends when the phone is closed.

        Of a backlog that nobody reads, the newest 10,000 are kept. For one reader.
        """
        exchange = self._exchange
        while True:
            await exchange.until(lambda: bool(exchange.inbox) or exchange.closing)
            if not exchange.inbox:
                return
            yield exchange.inbox.popleft()

    async def drain(self) -> None:
        """Wait until the server has acked every frame; raises as `send` does."""
        exchange = self._exchange
        await exchange.until_soon(lambda: not exchange.outbox, self._patience_s)

    async def __aenter__(self) -> Self:
        self._task = self._start()
        try:
            await self._exchange.until(lambda: self._exchange.opened)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                await self.drain()
                self._end()
                await asyncio.wait([self._running], timeout=GOODBYE_S)
        finally:
            self._end()
            await self._stop()

    @property
    def _running(self) -> asyncio.Task[None]:
        if self._task is None:
            raise RuntimeError("enter the phone first: `async with Phone(...) as phone`")
        return self._task

    def _end(self) -> None:
        self._exchange.closing = True
        self._exchange.ring()

    async def _stop(self) -> None:
        self._running.cancel()
        await asyncio.wait([self._running])

    def _start(self) -> asyncio.Task[None]:
        work = keep_connected(
            self._link.run,
            opened=lambda: self._exchange.opened,
            finished=lambda: self._exchange.closing,
            patience_s=self._patience_s,
        )
        task = asyncio.create_task(work, name=f"phone {self.device}")
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._exchange.fail(error)
