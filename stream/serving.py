"""HTTP as uvicorn serves it: ours, and beside it the door for phones that do not trust us yet."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette

from stream import addresses
from stream.config import Config
from stream.doors import headers, ports, trust
from stream.doors.connection import Protocol
from stream.errors import ConfigError

if TYPE_CHECKING:  # loads what only TLS needs
    from stream.tls.identity import Identity

PING_S = 20.0  # between pings, and as long again for their answer: else nobody is there any more
RENEW_S = 60.0  # between looks at our addresses and the end of our certificate
log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the program stops the service, in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(
    config: Config, application: Starlette, identity: "Identity | None" = None
) -> uvicorn.Server:
    """Return what serves an application, with TLS where there is an identity to show."""
    return _Server(_settings(config, application, identity))


@asynccontextmanager
async def answering(server: uvicorn.Server, listening: socket.socket) -> AsyncIterator[None]:
    """Serve HTTP; at the end, the last answers go out."""
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve([listening]), name="http")
        try:
            yield
        finally:
            server.should_exit = True
            await serving
            if server.started:  # where it was told to exit before it stood, it stays open
                for accepting in server.servers:
                    accepting.close()


@asynccontextmanager
async def trusting(config: Config, identity: "Identity | None", port: int) -> AsyncIterator[int]:
    """Let phones in that do not trust us yet, and keep our certificate good; yields the port."""
    if identity is None or identity.authority is None:
        yield 0
        return
    with ports.listen_beside(config.server, port) as listening:
        door = server(config, trust.door(identity, port))
        async with asyncio.TaskGroup() as tasks, answering(door, listening):
            renewing = tasks.create_task(_renew(identity), name="renew")
            try:
                yield listening.getsockname()[1]
            finally:
                renewing.cancel()


async def _renew(identity: "Identity") -> None:
    while True:
        await asyncio.sleep(RENEW_S)
        try:
            if identity.renew(datetime.now(UTC)):
                log.info("a newer certificate is shown, for %s", ", ".join(addresses.of_machine()))
        except (ConfigError, OSError) as error:  # ssl.SSLError is one of these
            log.error("the certificate cannot be renewed, and is tried again: %s", error)


def _settings(
    config: Config, application: Starlette, identity: "Identity | None"
) -> uvicorn.Config:
    return uvicorn.Config(
        headers.guarded(application),
        ws=Protocol,
        ws_max_size=config.wire.max_frame_bytes,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,  # 60 kB a connection, and frames are dense already
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        server_header=False,
        ssl_context_factory=(lambda *_: identity.context) if identity else None,
    )
