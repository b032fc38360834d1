"""The service: everything put together, started, and stopped in order."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import uvicorn
from starlette.applications import Starlette

from stream import addresses, dial, http, models, mqtt, ports, recovery, trust
from stream.classifier import Classifier
from stream.config import Config, Server
from stream.errors import ConfigError, NotDurableError
from stream.history import History
from stream.hub import Hub
from stream.journal import Journal
from stream.metrics import Metrics
from stream.models import Models
from stream.mqtt import Bridge
from stream.publish import Publisher
from stream.tcp import Doors

if TYPE_CHECKING:  # loads what only TLS needs
    from stream.tls import Identity

SWEEP_S = 1.0
RENEW_S = 60.0  # between looks at our addresses and the end of our certificate
DRAIN_S = 2.0  # how long a stop waits for the last batches
FLUSH_S = 0.5  # and for the disk
GOODBYE_S = 1.0  # and for the broker to take the last messages
log = logging.getLogger(__name__)


class Service(NamedTuple):
    """A running service."""

    host: str
    port: int
    hub: Hub
    bridge: Bridge | None
    doors: Doors
    identity: "Identity | None" = None  # what TLS clients are shown; None: there is no TLS
    trust_port: int = 0  # where a phone learns to trust that, without TLS; 0: nowhere

    @property
    def http_url(self) -> str:
        """Where HTTP is served."""
        return f"http{'s' if self.identity else ''}://{_in_url(self.host)}:{self.port}"

    @property
    def ws_url(self) -> str:
        """Where WebSockets are served."""
        return f"ws{'s' if self.identity else ''}://{_in_url(self.host)}:{self.port}"


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the program stops the service, in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def running(config: Config, classifier: Classifier | None = None) -> AsyncIterator[Service]:
    """Run the service for as long as the context lasts.

    `classifier`, if there is one, answers in place of the shared artifact. Raises ConfigError
    where an artifact is damaged or disagrees, the address is taken, a certificate is no good, or
    a phone's address is wrong.
    """
    phones = dial.listed(config.devices)
    identity = _identity(config.server)
    hub = _hub(config, models.load(config, classifier))
    with hub.journal.claimed():
        async with _serving(config, hub, phones, identity) as service:
            yield service


@asynccontextmanager
async def _serving(
    config: Config, hub: Hub, phones: list[dial.Phone], identity: "Identity | None"
) -> AsyncIterator[Service]:
    bridge = Bridge(config.mqtt, config.wire, hub) if config.mqtt.url else None
    dialler = dial.Dialler(config.dial, config.wire, hub, phones) if phones else None
    application = http.app(config, hub, _mqtt_state(bridge))
    listening, for_apps = ports.listen(config)
    doors = Doors(config, hub)
    port = listening.getsockname()[1]
    server = _Server(_uvicorn_config(config, application, identity))
    async with _trusting(config, identity, port) as trust_port, asyncio.TaskGroup() as tasks:
        application.state.identity, application.state.trust_port = identity, trust_port
        recover = partial(_recover, config, hub, bridge)
        writing = tasks.create_task(hub.journal.run(recover), name="journal")
        await hub.journal.tried.wait()
        answering = tasks.create_task(hub.models.run(), name="models")
        sweeping = tasks.create_task(_sweep(hub), name="sweep")
        bridging = tasks.create_task(bridge.run(), name="mqtt") if bridge else None
        dialling = tasks.create_task(dialler.run(), name="dial") if dialler else None
        serving = tasks.create_task(server.serve([listening]), name="http")
        try:
            for dialect, own in for_apps:
                await doors.open(dialect, own)
            yield Service(config.server.address, port, hub, bridge, doors, identity, trust_port)
        finally:
            if dialling:
                dialling.cancel()
            await _stop(hub, bridge, application, server, doors)
            await serving
            hub.publisher.history.close()
            for task in filter(None, (bridging, sweeping, answering, writing)):
                task.cancel()


@asynccontextmanager
async def _trusting(config: Config, identity: "Identity | None", port: int) -> AsyncIterator[int]:
    """Let phones in that do not trust us yet, and keep our certificate good; yields the port."""
    if identity is None or identity.authority is None:
        yield 0
        return
    listening = ports.listen_beside(config.server, port)
    door = _Server(_uvicorn_config(config, trust.door(identity, port)))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(door.serve([listening]), name="door")
        renewing = tasks.create_task(_renew(identity), name="renew")
        try:
            yield listening.getsockname()[1]
        finally:
            renewing.cancel()
            door.should_exit = True


async def _renew(identity: "Identity") -> None:
    while True:
        await asyncio.sleep(RENEW_S)
        try:
            if identity.renew(datetime.now(UTC)):
                log.info("a newer certificate is shown, for %s", ", ".join(addresses.of_machine()))
        except ConfigError:
            log.exception("the certificate cannot be renewed")


def _identity(server: Server) -> "Identity | None":
    if not server.secure:
        return None
    from stream import tls  # noqa: PLC0415  its libraries take 60 ms to load

    return tls.identity(server)


def _hub(config: Config, loaded: Models) -> Hub:
    metrics = Metrics()
    journal = Journal(config.journal, metrics)
    publisher = Publisher(History(journal), metrics)
    return Hub(
        config.hub,
        loaded,
        publisher,
        metrics,
        settings=config.devices,
        journal=journal,
        record=config.record,
    )


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
    hub: Hub,
    bridge: Bridge | None,
    application: Starlette,
    server: uvicorn.Server,
    doors: Doors,
) -> None:
    """Let nobody new in, answer and publish what is waiting, and say goodbye with 1001."""
    hub.stopping = True
    doors.shut()
    for live in hub.recorder.finish_all():
        hub.keeper.save(live)
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
    await doors.hang_up()
    server.should_exit = True


def _uvicorn_config(
    config: Config, application: Starlette, identity: "Identity | None" = None
) -> uvicorn.Config:
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
        ssl_context_factory=(lambda *_: identity.context) if identity else None,
    )


def _in_url(host: str) -> str:
    return addresses.in_url({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host))  # noqa: S104
