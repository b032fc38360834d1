"""The service: everything put together, started, and stopped in order."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import NamedTuple

import uvicorn
from starlette.applications import Starlette

from stream import dial, http, models, mqtt, recovery
from stream.classifier import Classifier
from stream.config import Config
from stream.errors import ConfigError, NotDurableError
from stream.history import History
from stream.hub import Hub
from stream.journal import Journal
from stream.metrics import Metrics
from stream.models import Models
from stream.mqtt import Bridge
from stream.publish import Publisher

SWEEP_S = 1.0
DRAIN_S = 2.0  # how long a stop waits for the last batches
FLUSH_S = 0.5  # and for the disk
GOODBYE_S = 1.0  # and for the broker to take the last messages
BACKLOG = 4096  # connections that may wait to be accepted
log = logging.getLogger(__name__)


class Service(NamedTuple):
    """A running service."""

    host: str
    port: int
    hub: Hub
    bridge: Bridge | None

    @property
    def http_url(self) -> str:
        """Where HTTP is served."""
        return f"http://{_in_url(self.host)}:{self.port}"

    @property
    def ws_url(self) -> str:
        """Where WebSockets are served."""
        return f"ws://{_in_url(self.host)}:{self.port}"


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the program stops the service, in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def running(config: Config, classifier: Classifier | None = None) -> AsyncIterator[Service]:
    """Run the service for as long as the context lasts.

    `classifier`, if there is one, answers in place of the shared artifact. Raises ConfigError
    where an artifact is damaged or disagrees, the address is taken, or a phone's is wrong.
    """
    phones = dial.listed(config.devices)
    hub = _hub(config, models.load(config, classifier))
    with hub.journal.claimed():
        bridge = Bridge(config.mqtt, config.wire, hub) if config.mqtt.url else None
        dialler = dial.Dialler(config.dial, config.wire, hub, phones) if phones else None
        application = http.app(config, hub, _mqtt_state(bridge))
        listening = _listen(config.server.host, config.server.port)
        server = _Server(_uvicorn_config(config, application))
        async with asyncio.TaskGroup() as tasks:
            recover = partial(_recover, config, hub, bridge)
            writing = tasks.create_task(hub.journal.run(recover), name="journal")
            await hub.journal.tried.wait()
            answering = tasks.create_task(hub.models.run(), name="models")
            sweeping = tasks.create_task(_sweep(hub), name="sweep")
            bridging = tasks.create_task(bridge.run(), name="mqtt") if bridge else None
            dialling = tasks.create_task(dialler.run(), name="dial") if dialler else None
            serving = tasks.create_task(server.serve([listening]), name="http")
            try:
                yield Service(config.server.host, listening.getsockname()[1], hub, bridge)
            finally:
                if dialling:
                    dialling.cancel()
                await _stop(hub, bridge, application, server)
                await serving
                hub.publisher.history.close()
                for task in filter(None, (bridging, sweeping, answering, writing)):
                    task.cancel()


def _hub(config: Config, loaded: Models) -> Hub:
    metrics = Metrics()
    journal = Journal(config.journal, metrics)
    publisher = Publisher(History(journal), metrics)
    return Hub(config.hub, loaded, publisher, metrics, settings=config.devices, journal=journal)


def _recover(config: Config, hub: Hub, bridge: Bridge | None) -> None:
    """Go on where the journal ends; raises JournalError, and then nothing is changed."""
    kept = recovery.load(hub.journal.store)
    if bridge is not None:
        bridge.catch_up(recovery.unsent(hub.journal, mqtt.MARK, config.mqtt.max_queue))
    recovery.recover(hub, kept, config.wire.max_g)


def _mqtt_state(bridge: Bridge | None) -> Callable[[], str]:
    def state() -> str:
        if bridge is None:
            return "off"
        return "connected" if bridge.connected else "reconnecting"

    return state


async def _sweep(hub: Hub) -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        hub.sweep()


async def _stop(
    hub: Hub, bridge: Bridge | None, application: Starlette, server: uvicorn.Server
) -> None:
    """Let nobody new in, answer and publish what is waiting, and say goodbye with 1001."""
    hub.stopping = True
    if server.started:  # else a phone that is told to go would be back before the port is closed
        for accepting in server.servers:
            accepting.close()
    try:
        async with asyncio.timeout(DRAIN_S):
            await hub.models.drained()
    except TimeoutError:
        log.warning("stopped with %d windows unanswered", hub.models.waiting)
    with suppress(TimeoutError, NotDurableError):  # a restart does again what was not written
        async with asyncio.timeout(FLUSH_S):
            hub.keeper.save_all()
            await hub.journal.flush()
    if bridge is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await bridge.say_goodbye()
    for outbox in list(application.state.outboxes):
        outbox.close(1001, "the server is going away; connect again")
    server.should_exit = True


def _uvicorn_config(config: Config, application: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        ws="websockets-sansio",
        ws_max_size=config.wire.max_frame_bytes,
        ws_per_message_deflate=False,  # 60 kB a connection, and frames are dense already
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        server_header=False,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
        # Connections inherit it; without it an answer waits for the peer's ack, some 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigError(
            f"server.host = {host!r}, server.port = {port}: cannot listen: {reason}; "
            "choose another with --port, or 0 for any free one"
        ) from error


def _in_url(host: str) -> str:
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  not bound here
    return f"[{name}]" if ":" in name else name
