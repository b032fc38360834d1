"""How a broker is connected to, and its messages read. Knows no topic."""

import os
import ssl
from urllib.parse import unquote, urlsplit

import aiomqtt

from stream import config
from stream.errors import ConfigError
from stream.mqtt.client import ANSWER_S, KEEPALIVE_S, Client

DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}


def client(options: config.Mqtt) -> Client:
    """Make a client with a persistent session and a last will."""
    url = urlsplit(options.url)
    made = Client(
        url.hostname or "",
        url.port or DEFAULT_PORTS[url.scheme],
        username=unquote(url.username) if url.username else None,
        password=os.environ.get(options.password_env),
        identifier=options.client_id,
        clean_session=False,
        timeout=ANSWER_S,
        keepalive=KEEPALIVE_S,
        will=aiomqtt.Will(f"{options.base}/status", "offline", qos=1, retain=True),
        max_inflight_messages=options.max_inflight,
        tls_context=tls(options),
    )
    made.pending_calls_threshold = options.max_inflight
    return made


def tls(options: config.Mqtt) -> ssl.SSLContext | None:
    """Check the broker by `ca`, or the system's; show it our certificate, where there is one.

    None for mqtt://. Raises ConfigError where a file can't be used.
    """
    if urlsplit(options.url).scheme != "mqtts":
        return None
    name, path = "ca", options.ca
    try:
        context = ssl.create_default_context(cafile=options.ca or None)
        name, path = "cert", options.cert
        if options.cert:
            context.load_cert_chain(options.cert, options.key or None)
    except OSError as error:  # what is no certificate is one, too
        raise ConfigError(f"mqtt.{name} = {path!r}: cannot be used: {error.strerror}") from error
    return context


def payload(message: aiomqtt.Message) -> bytes:
    """Return what a message holds."""
    return message.payload if isinstance(message.payload, bytes) else b""


def address(url: str) -> str:
    """Return the broker's address without user or password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or DEFAULT_PORTS[parts.scheme]}"
