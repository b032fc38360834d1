"""The gate that every door asks: who is there, from where, and with what token.

A door has one line for it: `visitor`, or `introduced` for a WebSocket. What the visitor may do then
is the visitor's own affair.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from stream import config
from stream.access import exposure
from stream.access.throttle import Sender, Throttle
from stream.access.token_file import NOBODY, TokenFile, load
from stream.access.tokens import Book
from stream.access.visitor import Stream, Visitor
from stream.errors import AccessError, UnauthenticatedError
from stream.metrics import Metrics
from stream.outbox import Outbox
from stream.wire.text import shown_token

AUTH_S = 5.0  # for a browser to show its token
REVOKED = 4401
GONE, NEEDED = "the token was revoked, or has expired", "a token is needed from now on"
LOG_EVERY_S = 10.0  # a line about who was turned away
HTTP, WEBSOCKET, MQTT, TCP = "http", "websocket", "mqtt", "tcp"
log = logging.getLogger(__name__)


class Gate:
    """One service's gate. Its methods raise AccessError and TooFastError.

    Making it raises ConfigError where the file of tokens can't be read.
    """

    def __init__(
        self,
        auth: config.Auth,
        limits: config.Limits,
        metrics: Metrics,
        *,
        tls: bool = False,
        clock: Callable[[], float] = time.monotonic,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.throttle = Throttle(limits, metrics, clock)
        self._auth = auth
        self._tls = tls
        self._metrics = metrics
        self._clock = clock
        self._utc = utc
        self._file = TokenFile(Path(auth.tokens))
        if auth.required != "never" and Path(auth.tokens).exists():
            # What is damaged from the start is the operator's to mend first.
            load(Path(auth.tokens))
        self._inside: dict[Outbox, Visitor] = {}
        self._logged = -LOG_EVERY_S

    def is_new(self) -> bool:
        """Whether tokens may be asked for, but none was ever made."""
        return self._auth.required != "never" and not Path(self._auth.tokens).exists()

    def book(self) -> Book | None:
        """Return the tokens that are asked for; None while the server is open."""
        if self._auth.required == "never":
            return None
        book = self._file.book()
        return NOBODY if book is None and self._auth.required == "always" else book

    def visitor(self, request: Request, instead: str | None = None) -> Visitor:
        """Tell who sends a request; `instead` is looked at without an Authorization header."""
        sender = self._sender(request, HTTP)
        self._check_browser(request)
        self.throttle.message(sender, 0)
        return self._known(sender, _bearer(request) or instead)

    async def introduced(self, websocket: WebSocket) -> Visitor:
        """Tell who is behind an accepted WebSocket; a browser has to say it first."""
        self._check_browser(websocket)
        shown = _bearer(websocket)
        if shown is None and self.book() is not None:
            shown = await _first_message(websocket)
        return self._known(self._sender(websocket, WEBSOCKET), shown)

    def by_mqtt(self, device: str) -> Stream:
        """Return the limits of a device that comes through the broker, which let it in."""
        return Stream(self.throttle, Sender(MQTT, None, device))

    def by_tcp(self, device: str, host: str) -> Stream:
        """Return the limits of an app that connects: nobody asks it for a token it can't send."""
        place = self.throttle.place(host)
        return Stream(self.throttle, Sender(TCP, place, None if place is None else device))

    def connected(self, websocket: WebSocket) -> AbstractContextManager[None]:
        """Count a connection of an address for as long as the context lasts."""
        return self.throttle.connected(self._sender(websocket, WEBSOCKET))

    @contextmanager
    def inside(self, visitor: Visitor, outbox: Outbox) -> Iterator[None]:
        """Show a visitor out through `outbox` as soon as the token no longer counts."""
        self._inside[outbox] = visitor
        try:
            yield
        finally:
            del self._inside[outbox]

    def sweep(self) -> None:
        """Show out whose tokens were revoked or have expired; call it every second or so."""
        book, now = self.book(), self._utc()
        if book is None:
            return
        for outbox, visitor in list(self._inside.items()):
            token = visitor.token
            if outbox.closed is None and (token is None or token not in book or token.expired(now)):
                self._metrics.turned_away.labels(WEBSOCKET, "revoked").inc()
                lost = outbox.cut(REVOKED, GONE if token else NEEDED)
                self._metrics.missed.inc(lost)

    def turned_away(self, connection: HTTPConnection, error: AccessError) -> None:
        """Count a refusal; log one now and then."""
        self._metrics.turned_away.labels(connection.scope["type"], error.reason).inc()
        if self._clock() - self._logged >= LOG_EVERY_S:
            self._logged = self._clock()
            log.warning("turned away %s: %s (and others, perhaps)", _host(connection), error)

    def _known(self, sender: Sender, shown: str | None) -> Visitor:
        book = self.book()
        if book is None:
            return Visitor(self.throttle, sender, None)
        if shown is None:
            raise UnauthenticatedError(
                "this server asks for a token: send Authorization: Bearer …, or as the first "
                'message {"type": "auth", "token": "…"}'
            )
        self.throttle.login(sender)
        try:
            return Visitor(self.throttle, sender, book.find(shown, self._utc()))
        except UnauthenticatedError:
            self.throttle.failed(sender)
            raise

    def _sender(self, connection: HTTPConnection, door: str) -> Sender:
        return Sender(door, self.throttle.place(_host(connection)))

    def _check_browser(self, connection: HTTPConnection) -> None:
        host, allowed = connection.headers.get("host", ""), self._auth.origins
        exposure.check_origin(connection.headers.get("origin"), host, allowed)
        if self.book() is None and not self._tls:  # with TLS, the certificate has our names only
            exposure.check_host(host, allowed)


def _host(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""


def _bearer(connection: HTTPConnection) -> str | None:
    """Return the token in the Authorization header; what is no token, as it is."""
    header = connection.headers.get("authorization")
    if header is None:
        return None
    scheme, _, shown = header.partition(" ")
    return shown.strip() if scheme.lower() == "bearer" else header


async def _first_message(websocket: WebSocket) -> str | None:
    """Return the token of an `auth` message; None where something else, or nothing, comes."""
    try:
        async with asyncio.timeout(AUTH_S):
            message = await websocket.receive()
    except TimeoutError:
        return None
    return shown_token(message.get("text") or "")
