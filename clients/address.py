"""Where a server is: `ws://`, `wss://`, `mqtt://` and `mqtts://` URLs, taken apart.

A WebSocket URL may be bare (`ws://host:port`); the protocol's paths are put behind it. The path of
an MQTT URL is the base topic.
"""

import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlencode, urlsplit

from stream.errors import ParameterError

PASSWORD_ENV = "GAITWAY_MQTT_PASSWORD"  # noqa: S105  the variable's name, not a secret
DEFAULT_BASE = "gaitway"
DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}
EXAMPLES = "ws://127.0.0.1:8765 or mqtt://127.0.0.1:1883"


class WebSocketAddress(NamedTuple):
    """A server that is spoken to directly; `root` is everything before `/v1`.

    `ca` is the file of an authority to trust besides the system's; see `trust.context`.
    """

    root: str
    ca: Path | None = None

    def stream(self, **query: object) -> str:
        """Return the URL at which a device streams; values that are None are left out."""
        return self._url("stream", query)

    def events(self, **query: object) -> str:
        """Return the URL at which anyone listens; values that are None are left out."""
        return self._url("events", query)

    def _url(self, name: str, query: dict[str, object]) -> str:
        given = {key: value for key, value in query.items() if value is not None}
        return f"{self.root}/v1/{name}?{urlencode(given, safe=',/')}".rstrip("?")

    def __str__(self) -> str:
        return self.root


class MqttAddress(NamedTuple):
    """A broker, and the base topic below which the server listens there."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: str | None
    base: str
    ca: Path | None = None

    def __str__(self) -> str:
        scheme = "mqtts" if self.tls else "mqtt"
        return f"{scheme}://{self.host}:{self.port}/{self.base}"


Address = WebSocketAddress | MqttAddress


def parse(url: str, ca: Path | None = None) -> Address:
    """Take `url` apart; raises ParameterError, which says what is allowed.

    `ca` goes into the address.

    An MQTT password stands in the URL or, better, in the environment variable
    GAITWAY_MQTT_PASSWORD.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise ParameterError(f"URL {url!r}: {error}") from error
    if not parts.hostname or parts.scheme not in ("ws", "wss", "mqtt", "mqtts"):
        raise ParameterError(f"URL {url!r}: ws, wss, mqtt or mqtts is allowed, as in {EXAMPLES}")
    if parts.scheme in ("ws", "wss"):
        return _websocket(parts)._replace(ca=ca)
    return _mqtt(parts, port or DEFAULT_PORTS[parts.scheme])._replace(ca=ca)


def _websocket(parts: SplitResult) -> WebSocketAddress:
    path = parts.path.rstrip("/")
    for known in ("/v1/stream", "/v1/events"):
        path = path.removesuffix(known)
    return WebSocketAddress(f"{parts.scheme}://{parts.netloc}{path}")


def _mqtt(parts: SplitResult, port: int) -> MqttAddress:
    base = unquote(parts.path).strip("/") or DEFAULT_BASE
    if any(sign in base for sign in "#+"):
        raise ParameterError(f"base topic {base!r}: # and + are not allowed")
    password = unquote(parts.password) if parts.password else os.environ.get(PASSWORD_ENV)
    return MqttAddress(
        host=parts.hostname or "",
        port=port,
        tls=parts.scheme == "mqtts",
        username=unquote(parts.username) if parts.username else None,
        password=password if parts.username else None,
        base=base,
    )
