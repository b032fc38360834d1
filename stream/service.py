"""The service: everything put together, started, and stopped in order."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import uvicorn
from starlette.applications import Starlette

from stream import (
    addresses,
    dial,
    exposure,
    headers,
    http,
    models,
    mqtt,
    ports,
    recovery,
    token_file,
    trust,
)
from stream.classifier import Classifier
from stream.config import Config, Server
from stream.connection import Protocol
from stream.errors import ConfigError
from stream.gate import Gate
from stream.history import History
from stream.hub import Hub
from stream.journal import Journal
from stream.metrics import Metrics
from stream.models import Models
from stream.mqtt import Bridge
from stream.publish import Publisher
from stream.stopping import stop
from stream.tcp import Doors

if TYPE_CHECKING:  # loads what only TLS needs
    from stream.tls import Identity

SWEEP_S = 1.0
RENEW_S = 60.0  # between looks at our addresses and the end of our certificate
log = logging.getLogger(__name__)


class Service(NamedTuple):
    """A running service."""

    host: str
    port: int
    hub: Hub
    bridge: Bridge | None
    doors: Doors
    gate: Gate
    identity: "Identity | None" = None  # what TLS clients are shown; None: there is no TLS
    trust_port: int = 0  # where a phone learns to trust that, without TLS; 0: nowhere
    first_token: str = ""  # made at this start, for phones and watching, and kept nowhere

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
    where an artifact is damaged or disagrees, the address is taken, a certificate is no good,
    a phone's address is wrong, or others could reach a server that is not guarded.
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
    gate = Gate(config.auth, config.limits, hub.metrics, tls=config.server.secure)
    lacks_first = _check_exposure(config, gate)
    bridge = Bridge(config.mqtt, config.wire, hub, gate) if config.mqtt.url else None
    dialler = dial.Dialler(config.dial, config.wire, hub, phones) if phones else None
    application = http.app(config, hub, gate, _mqtt_state(bridge))
    listening, for_apps = ports.listen(config)
    first = token_file.add(Path(config.auth.tokens), "phones")[0] if lacks_first else ""
    doors = Doors(config, hub, gate)
    port = listening.getsockname()[1]
    server = _Server(_uvicorn_config(config, application, identity))
    async with _trusting(config, identity, port) as trust_port, asyncio.TaskGroup() as tasks:
        application.state.identity, application.state.trust_port = identity, trust_port
        recover = partial(_recover, config, hub, bridge)
        writing = tasks.create_task(hub.journal.run(recover), name="journal")
        await hub.journal.tried.wait()
        answering = tasks.create_task(hub.models.run(), name="models")
        sweeping = tasks.create_task(_sweep(hub, gate), name="sweep")
        bridging = tasks.create_task(bridge.run(), name="mqtt") if bridge else None
        dialling = tasks.create_task(dialler.run(), name="dial") if dialler else None
        serving = tasks.create_task(server.serve([listening]), name="http")
        try:
            for dialect, own in for_apps:
                await doors.open(dialect, own)
            host = config.server.address
            yield Service(
                host, port, hub, bridge, doors, gate, identity, trust_port, first_token=first
            )
        finally:
            if dialling:
                dialling.cancel()
            await stop(hub, bridge, application, server, doors)
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


def _check_exposure(config: Config, gate: Gate) -> bool:
    """Return whether a first token is to be made; raises ConfigError where others must not come."""
    host, tls, insecure = config.server.address, config.server.secure, config.auth.insecure
    lacks_first = tls and gate.is_new() and not insecure and not exposure.is_here(host)
    tokens = lacks_first or bool(gate.book())
    exposure.may_start(host, tls=tls, tokens=tokens, insecure=insecure)
    exposure.may_open_tcp(host, [app.name for app in ports.of_apps(config)], insecure=insecure)
    return lacks_first


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


async def _sweep(hub: Hub, gate: Gate) -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        hub.sweep()
        gate.sweep()


def _uvicorn_config(
    config: Config, application: Starlette, identity: "Identity | None" = None
) -> uvicorn.Config:
    return uvicorn.Config(
        headers.guarded(application),
        ws=Protocol,
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
