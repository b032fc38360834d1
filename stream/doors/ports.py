"""The ports that the service listens at: taken at its start, all or none."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from stream.config import Config, Server
from stream.errors import ConfigError
from stream.sensor_apps import dialects
from stream.sensor_apps.dialects.dialect import Dialect

BACKLOG = 4096  # connections that may wait to be accepted


@contextmanager
def taken(config: Config) -> Iterator[tuple[socket.socket, list[tuple[Dialect, socket.socket]]]]:
    """Have the ports of HTTP and of all apps that have one; raises ConfigError for a taken one."""
    host = config.server.address
    with ExitStack() as listening:
        for_http = listening.enter_context(_listen(host, config.server.port, "server.port"))
        for_apps = []
        for dialect in of_apps(config):
            key = _key(dialect)
            own = listening.enter_context(_listen(host, getattr(config.tcp, key), f"tcp.{key}"))
            for_apps.append((dialect, own))
        yield for_http, for_apps


def of_apps(config: Config) -> list[Dialect]:
    """Return the apps that have a port of their own."""
    return [one for one in dialects.CONNECTING if getattr(config.tcp, _key(one)) != ""]


def listen_beside(server: Server, port: int) -> socket.socket:
    """Listen at the port after `port`, or else at any free one."""
    try:
        return _listen(server.address, port + 1 if server.port and port < 65535 else 0, "port")
    except ConfigError:
        return _listen(server.address, 0, "port")


def _key(dialect: Dialect) -> str:
    return dialect.name.replace("-", "_")


def _listen(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
        # Connections inherit it; without it an answer waits for the peer's ack, some 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        another = "another with --port" if setting == "server.port" else "another"
        raise ConfigError(
            f"server.host = {host!r}, {setting} = {port}: cannot listen: {reason}; "
            f"choose {another}, or 0 for any free one"
        ) from error
