"""The two WebSocket endpoints: a device streams, anyone listens. Thin: the hub does the work."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from starlette.websockets import WebSocket

from stream import config, wire
from stream.access.visitor import Stream, Visitor
from stream.doors import answers
from stream.doors.connection import (
    OVERLOADED,
    POLICY,
    ignoring,
    messages,
    send_all,
    serve,
    until_closed,
    writing,
)
from stream.errors import DeviceError, NotDurableError, OverloadedError, ParameterError
from stream.events import Error, Welcome
from stream.hub import Hub
from stream.journal.entries import Query
from stream.live import Live
from stream.outbox import ClosedError, Outbox, encode
from stream.publish import TYPES
from stream.wire import Source, check_id, incoming
from stream.wire.text import is_auth

CHANNEL = "websocket"
DONE = 1000
MAX_UNACKED = 256  # frames that a connection may have taken before they are durable
OWN_TYPES = frozenset({"prediction", "activity", "quality"})
DEFAULT_TYPES = frozenset({"activity", "status"})
OF_LISTENERS = ("device", "type", "since")


async def nowhere(websocket: WebSocket) -> None:
    """Answer 404, which names where WebSockets are; clients show it, but browsers' pages do not."""
    detail = f"{websocket.url.path}: no WebSocket is here; /v1/stream and /v1/events are"
    await websocket.send_denial_response(
        answers.problem(404, "The request can't be served", detail)
    )


async def stream(websocket: WebSocket) -> None:
    """Serve `/v1/stream`: one device, one session."""
    await serve(websocket, partial(_stream, websocket))


async def _stream(websocket: WebSocket, visitor: Visitor, outbox: Outbox) -> None:
    hub: Hub = websocket.app.state.hub
    limits: config.Wire = websocket.app.state.config.wire
    options = dict(websocket.query_params)
    wire.check_names(options, wire.OF_STREAM)
    device = check_id("device", options.pop("device", ""))
    allowed = visitor.streams_as(device)
    wanted, since = options.pop("session", None), options.pop("since", None)
    if wanted is not None:
        check_id("session", wanted)
    source = wire.check_source(options)
    live = hub.open(CHANNEL, device, wanted)
    await DeviceConnection(websocket, hub, live, source, limits, allowed, outbox).run(since)


class DeviceConnection:
    """One device's WebSocket."""

    def __init__(
        self,
        websocket: WebSocket,
        hub: Hub,
        live: Live,
        source: Source,
        limits: config.Wire,
        allowed: Stream,
        outbox: Outbox,
    ) -> None:
        self._websocket = websocket
        self._hub = hub
        self._live = live
        self._source = source
        self._limits = limits
        self._allowed = allowed
        self._outbox = outbox
        self._bad_in_a_row = 0

    async def run(self, since: str | None) -> None:
        """Speak until either side closes."""
        query = Query(frozenset({self._live.session.device}), OWN_TYPES, self._live.session.id)
        done = False
        self._hub.attach(self._live, self._outbox)
        try:
            with self._hub.publisher.listening(self._outbox, query, CHANNEL):
                begun = self._hub.publisher.history.newest
                await send_all(self._websocket, [encode(self._welcome())])
                if since is not None:
                    await _repeat(self._websocket, since, _from_its(since, query), begun)
                await until_closed(writing(self._websocket, self._outbox), self._reading())
        except ClosedError as closed:
            done = closed.code == DONE
            raise
        finally:
            self._hub.detach(self._live, self._outbox, done=done)

    def _welcome(self) -> Welcome:
        shared, session = self._live.model.options, self._live.session
        return Welcome(
            device=session.device,
            session=session.id,
            next_seq=self._live.durable_seq,
            expires_s=shared.expires_s,
            grid_hz=shared.signal.grid_hz,
            window=shared.signal.window,
            hop=shared.signal.hop,
            activities=shared.activities,
            model=shared.model,
            recording=self._hub.recorder.on,
        )

    async def _reading(self) -> None:
        """Take frames; one that sends faster than the disk writes is read no further."""
        live = self._live
        async for payload in messages(self._websocket):
            if self._outbox.closed is not None or self._hub.stopping:
                return  # replaced, or about to be closed: what comes now is not taken
            try:
                self._take(payload)
                if live.session.next_seq - live.durable_seq > MAX_UNACKED:
                    await self._hub.journal.committed(live.group)
            except DeviceError as error:
                if not (isinstance(payload, str) and is_auth(payload)):
                    self._refuse(error)
            except OverloadedError as error:
                with suppress(NotDurableError):  # what was taken before is acked first
                    await self._hub.journal.committed(live.group)
                self._outbox.send(Error(code=error.code, message=str(error)))
                self._outbox.close(OVERLOADED, str(error))
                return

    def _take(self, payload: str | bytes) -> None:
        text = isinstance(payload, str)
        self._allowed.message(len(payload.encode() if isinstance(payload, str) else payload))
        told = self._hub.devices.told(self._live.session.device)
        frame = incoming.decode(payload, self._source, self._limits, text=text, told=told)
        if frame.seq is None:
            raise DeviceError("seq is missing: frames are numbered from 0")
        self._allowed.samples(incoming.count(frame))
        self._hub.take(self._live, frame, self._source.rate_hz)
        self._bad_in_a_row = 0

    def _refuse(self, error: DeviceError) -> None:
        self._outbox.send(self._hub.refuse(self._live, CHANNEL, error))
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= self._hub.options.max_bad_frames:
            self._outbox.close(POLICY, f"{self._bad_in_a_row} bad frames in a row")


def _from_its(since: str, query: Query) -> Query:
    """Ask for the device's other sessions too, where `since` is an id of one of them."""
    _, _, rest = since.partition("/")
    other = bool(rest) and rest.partition("/")[0] != query.session
    return query._replace(session=None) if other else query


async def events(websocket: WebSocket) -> None:
    """Serve `/v1/events`: anyone listens to any devices."""
    await serve(websocket, partial(_events, websocket))


async def _events(websocket: WebSocket, visitor: Visitor, outbox: Outbox) -> None:
    hub: Hub = websocket.app.state.hub
    since = websocket.query_params.get("since")
    query = visitor.watching(listener_query(websocket), since or "")
    with hub.publisher.listening(outbox, query):
        begun = hub.publisher.history.newest
        await send_all(websocket, list(_standing(hub, query)))
        if since is not None:
            await _repeat(websocket, since, query, begun)
        await until_closed(writing(websocket, outbox), ignoring(websocket))


def listener_query(connection: WebSocket) -> Query:
    """Read `device` and `type`; raises ParameterError."""
    params = connection.query_params
    wire.check_names(params, OF_LISTENERS)
    devices = frozenset(filter(None, params.get("device", "").split(",")))
    types = frozenset(filter(None, params.get("type", "").split(","))) or DEFAULT_TYPES
    for device in devices:
        check_id("device", device)
    if types - TYPES:
        raise ParameterError(
            f"type = {','.join(sorted(types - TYPES))!r}: {', '.join(sorted(TYPES))} are allowed"
        )
    return Query(devices, types)


def _standing(hub: Hub, query: Query) -> Iterator[str]:
    """Yield, encoded, how every device stands: its state, and what was said of its signal."""
    for device in hub.devices:
        if query.sees(device.name):
            yield encode(device.state())
            if device.judged is not None and "quality" in query.types:
                yield encode(device.judged)


async def _repeat(websocket: WebSocket, since: str, query: Query, until: int) -> None:
    """Send what the history has after `since`, up to where listening began."""
    hub: Hub = websocket.app.state.hub
    async for texts in hub.publisher.missed_since(since, query, until):
        await send_all(websocket, texts)
