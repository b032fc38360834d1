"""One WebSocket connection of a phone: welcome, then frames out and messages in until it breaks."""

import asyncio
import os
import ssl
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus

from clients import trust
from clients.address import WebSocketAddress
from clients.errors import NonsenseError, RefusedError, UnreachableError
from clients.exchange import Exchange
from clients.frames import Style, encode
from clients.messages import decode
from clients.tasks import beside
from stream.errors import ParameterError
from stream.events import Error, Welcome
from stream.wire.incoming import Label

TOKEN_ENV = "GAITWAY_TOKEN"  # noqa: S105  the variable's name, not a secret
OPEN_TIMEOUT_S = 10.0
PING_S = 20.0  # between pings, and as long again for their answer: else nobody is there any more
CLOSE_S = 10.0  # for the answer to a close
DONE, GOING_AWAY, POLICY, TOO_BIG, OVERLOADED = 1000, 1001, 1008, 1009, 1013
REPLACED, UNAUTHENTICATED, FORBIDDEN = 4000, 4401, 4403
WHY = {
    POLICY: "the server refused the connection",
    TOO_BIG: "a frame was too big for the server: send fewer samples at once",
    REPLACED: "another connection of this device took over",
    UNAUTHENTICATED: "the server asks for a token that counts: name it with --token, or token= in "
    "Python, or set GAITWAY_TOKEN",
    FORBIDDEN: "the token does not allow that",
}
NONE = '{"type": "auth", "token": ""}'  # so that the server says at once whether it asks for one
UNTAKEN = ("overloaded", "not-durable")  # errors after which a frame is sent again


class Dial(NamedTuple):
    """Whom a WebSocket link calls, and how it introduces itself."""

    address: WebSocketAddress
    device: str
    style: Style
    token: str | None


class WebSocketLink:
    """Runs a phone's connections, one at a time."""

    def __init__(self, dial: Dial, exchange: Exchange) -> None:
        self._dial = dial
        self._exchange = exchange

    async def run(self) -> None:
        """Connect and talk until the connection ends; see `keep_connected` for the outcome."""
        acks = self._exchange.acks
        websocket = await open_websocket(self._url(), self._dial.token, self._dial.address.ca)
        code = GOING_AWAY  # ends the connection, but not the session
        try:
            await self._talk(websocket)
            code = DONE
        except ConnectionClosed:
            judge(websocket, progress=self._exchange.acks > acks)
        finally:
            await websocket.close(code)

    def _url(self) -> str:
        style = self._dial.style
        since = self._exchange.last_id
        if since is None and self._exchange.opened:
            since = ""  # this session's messages from the first one on
        return self._dial.address.stream(
            device=self._dial.device,
            session=self._exchange.session,
            since=since,
            units=style.units if style.units != "m/s2" else None,
            axes=style.axes if style.axes != "android" else None,
        )

    async def _talk(self, websocket: ClientConnection) -> None:
        """Return once the phone is done; raises ConnectionClosed or what is wrong."""
        self._exchange.greet(await _welcome(websocket))
        async with beside(self._receive(websocket), "phone receives"):
            await self._send(websocket)

    async def _send(self, websocket: ClientConnection) -> None:
        while (frame := await self._exchange.next_frame()) is not None:
            payload = encode(frame, self._dial.style)
            text = isinstance(frame, Label) or self._dial.style.encoding == "json"
            await websocket.send(payload, text=text)

    async def _receive(self, websocket: ClientConnection) -> NoReturn:
        while True:
            message = decode(await websocket.recv())
            self._exchange.hear(message)
            if isinstance(message, Error) and message.code in UNTAKEN:
                raise UnreachableError(f"the server takes no frames now: {message.message}")


async def _welcome(websocket: ClientConnection) -> Welcome:
    try:
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            message = decode(await websocket.recv())
    except TimeoutError as error:
        raise UnreachableError(f"no welcome within {OPEN_TIMEOUT_S:g} s") from error
    if not isinstance(message, Welcome):
        raise NonsenseError(f"the server began with {message!r}: `welcome` comes first")
    return message


async def open_websocket(
    url: str,
    token: str | None,
    ca: Path | None = None,
    kind: type[ClientConnection] = ClientConnection,
) -> ClientConnection:
    """Connect; raises UnreachableError or RefusedError, with what to do next.

    Without a token, the one in the environment variable GAITWAY_TOKEN is shown, if there is one.
    Over wss://, `ca` and what `trust.context` says are trusted. Raises ParameterError for what can
    be no token, and no file of certificates.
    """
    token = token or os.environ.get(TOKEN_ENV)
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise ParameterError("the token holds a space, or a character that is none: copy it anew")
    headers = {"Authorization": f"Bearer {token}"} if token else None
    where = url.partition("?")[0]
    try:
        websocket = await connect(
            url,
            additional_headers=headers,
            compression=None,
            open_timeout=OPEN_TIMEOUT_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            close_timeout=CLOSE_S,
            create_connection=kind,
            ssl=trust.context(ca) if url.startswith("wss:") else None,
        )
        if not token:
            with suppress(ConnectionClosed):  # whoever reads next hears of it
                await websocket.send(NONE)
        return websocket
    except InvalidStatus as error:
        status = error.response.status_code
        if status >= 500:
            raise UnreachableError(f"{where}: HTTP {status}: try again later") from error
        raise RefusedError(f"{where}: HTTP {status}: is this a Gaitway server?", status) from error
    except (OSError, InvalidMessage) as error:  # a timeout is an OSError
        _judge_tls(where, error)
        # What speaks TLS hangs up on who does not.
        hint = ", or try wss://" if isinstance(error, InvalidMessage) else ""
        raise UnreachableError(
            f"nobody answers at {where}: start one with `gaitway serve`{hint} ({error})"
        ) from error
    except InvalidHandshake as error:
        raise RefusedError(f"{where}: {error}", 0) from error


def _judge_tls(where: str, error: Exception) -> None:
    """Raise RefusedError for what is wrong with the server's TLS and stays so."""
    if isinstance(error, ssl.SSLCertVerificationError):
        raise RefusedError(
            f"{where}: its certificate is not trusted ({error.verify_message}): name the file of "
            "the authority that signed it, with --ca",
            0,
        ) from error
    if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
        raise RefusedError(f"{where}: nobody speaks TLS there: try ws://", 0) from error


def judge(websocket: ClientConnection, *, progress: bool) -> None:
    """Say what a broken connection means: return to connect again at once, or raise.

    UnreachableError asks to wait first, RefusedError never to come back.
    """
    code, reason = websocket.close_code, websocket.close_reason
    if code in WHY:
        raise RefusedError(f"{WHY[code]} ({code}{f': {reason}' if reason else ''})", code)
    if code == OVERLOADED or not progress:
        raise UnreachableError(f"the connection broke ({code}{f': {reason}' if reason else ''})")
