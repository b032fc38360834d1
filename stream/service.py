"""The service: everything put together, started, and stopped in order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stream import addresses, dial, serving
from stream.access import exposure, token_file
from stream.access.gate import Gate
from stream.config import Config, Server
from stream.doors import http, ports, tcp
from stream.doors.tcp import Doors
from stream.errors import ConfigError
from stream.hub import Hub
from stream.journal import recovery
from stream.journal.history import History
from stream.journal.journal import Journal
from stream.metrics import Metrics
from stream.model import models
from stream.model.classifier import Classifier
from stream.model.models import Models
from stream.mqtt.bridge import Bridge
from stream.publish import Publisher
from stream.stopping import stop

if TYPE_CHECKING:  # loads what only TLS needs
    from stream.tls.identity import Identity

SWEEP_S = 1.0


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
    try:
        with hub.journal.claimed():
            async with _serving(config, hub, phones, identity) as service:
                yield service
    except* ConfigError as group:  # what went wrong at the start, without the tasks around it
        raise _first(group) from None


@asynccontextmanager
async def _serving(
    config: Config, hub: Hub, phones: list[dial.Phone], identity: "Identity | None"
) -> AsyncIterator[Service]:
    """Open one thing after another; what is open is closed again, whichever fails.

    The first token comes after all that may fail, so that none is kept that nobody was shown, and
    before HTTP, which without any would be open to everybody.
    """
    gate = Gate(config.auth, config.limits, hub.metrics, tls=config.server.secure)
    lacks_first = _check_exposure(config, gate)
    bridge = Bridge(config.mqtt, config.wire, hub, gate) if config.mqtt.url else None
    dialler = dial.Dialler(config.dial, config.wire, hub, phones) if phones else None
    application = http.app(config, hub, gate, _mqtt_state(bridge))
    server = serving.server(config, application, identity)
    async with AsyncExitStack() as opened:
        listening, for_apps = opened.enter_context(ports.taken(config))
        port = listening.getsockname()[1]
        trust_port = await opened.enter_async_context(serving.trusting(config, identity, port))
        application.state.identity, application.state.trust_port = identity, trust_port
        await opened.enter_async_context(_working(config, hub, gate, bridge))
        doors = await opened.enter_async_context(tcp.opened(config, hub, gate, for_apps))
        first = token_file.add(Path(config.auth.tokens), "phones")[0] if lacks_first else ""
        await opened.enter_async_context(serving.answering(server, listening))
        opened.push_async_callback(stop, hub, bridge, application, server, doors)
        await opened.enter_async_context(_dialling(dialler))
        yield Service(
            config.server.address, port, hub, bridge, doors, gate, identity, trust_port, first
        )


@asynccontextmanager
async def _working(
    config: Config, hub: Hub, gate: Gate, bridge: Bridge | None
) -> AsyncIterator[None]:
    """Do what goes on behind the doors, from recovery on: journal, models, broker, sweeping."""
    recover = partial(_recover, config, hub, bridge)
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(hub.journal.run(recover), name="journal")
        await hub.journal.tried.wait()
        working = [
            tasks.create_task(bridge.run(), name="mqtt") if bridge else None,
            tasks.create_task(_sweep(hub, gate, bridge), name="sweep"),
            tasks.create_task(hub.models.run(), name="models"),
            writing,
        ]
        try:
            yield
        finally:
            hub.publisher.history.close()
            for task in filter(None, working):
                task.cancel()


@asynccontextmanager
async def _dialling(dialler: dial.Dialler | None) -> AsyncIterator[None]:
    """Call the phones that are servers themselves, if there are any."""
    if dialler is None:
        yield
        return
    async with asyncio.TaskGroup() as tasks:
        dialling = tasks.create_task(dialler.run(), name="dial")
        try:
            yield
        finally:
            dialling.cancel()


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
    from stream.tls import identity  # noqa: PLC0415  its libraries take 60 ms to load

    return identity.identity(server)


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
        bridge.begin()
    recovery.recover(hub, kept, config.wire.max_g)


def _mqtt_state(bridge: Bridge | None) -> Callable[[], str]:
    def state() -> str:
        if bridge is None:
            return "off"
        return "connected" if bridge.connected else "reconnecting"

    return state


async def _sweep(hub: Hub, gate: Gate, bridge: Bridge | None) -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        hub.sweep()
        gate.sweep()
        if bridge is not None:
            bridge.sweep()


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _in_url(host: str) -> str:
    return addresses.in_url({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host))  # noqa: S104
