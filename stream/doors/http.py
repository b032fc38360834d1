"""HTTP on the same port: frames by POST, current state, history, health, metrics and the pages.

Errors are problem details (RFC 9457).
"""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from stream import __version__, wire
from stream.access.gate import Gate
from stream.config import Config
from stream.doors import answers, face_up, push, trust, web, websocket
from stream.errors import DeviceError, ParameterError
from stream.events import Ack
from stream.hub import Hub
from stream.journal.entries import Query
from stream.outbox import Outbox
from stream.wire import check_id, incoming

CHANNEL = "http"
MAX_PAGE = 1000
HISTORY_TYPES = frozenset({"activity", "prediction"})
OF_HISTORY = ("device", "type", "from", "to", "after", "limit")


def app(config: Config, hub: Hub, gate: Gate, mqtt_state: Callable[[], str]) -> Starlette:
    """Build the ASGI application; `mqtt_state` returns a word on the broker."""
    routes: list[BaseRoute] = [
        Route("/", index),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
        Route("/v1/frames", frames, methods=["POST"]),
        Route("/v1/devices", devices),
        Route("/v1/devices/{device}", device),
        Route("/v1/devices/{device}/face-up", check_face_up, methods=["POST"]),
        Route("/v1/events", history),
        *push.routes(),
        WebSocketRoute("/v1/stream", websocket.stream),
        WebSocketRoute("/v1/events", websocket.events),
        *web.routes(),
        *trust.routes(),
        WebSocketRoute("/{path:path}", websocket.nowhere),
    ]
    application = Starlette(routes=routes, exception_handlers=answers.PROBLEMS)
    application.state.config = config
    application.state.hub = hub
    application.state.gate = gate
    application.state.identity = None  # these two are for a service with TLS to set
    application.state.trust_port = 0
    application.state.phone_port = 0  # phones come to the port that was asked: this one
    application.state.mqtt_state = mqtt_state
    application.state.outboxes = set[Outbox]()
    return application


async def index(request: Request) -> Response:
    """Say what this is and where things are: to browsers, with the dashboard."""
    if web.wants_page(request):
        return web.dashboard(request)
    answer = answers.json(
        {
            "service": "gaitway",
            "version": __version__,
            "phone": "/phone",
            "stream": "/v1/stream?device=…",
            "events": "/v1/events",
            "devices": "/v1/devices",
            "metrics": "/metrics",
        }
    )
    answer.headers["Vary"] = "Accept"
    return answer


async def healthz(_request: Request) -> Response:
    """Answer as long as the event loop turns."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """Say whether windows get predictions; 503 where the shared model gives none.

    Neither are they taken where the journal can't be written. A device's own model that fails is
    named, but is nobody else's trouble. Where tokens are asked for, only an admin hears more than
    yes or no.
    """
    hub: Hub = request.app.state.hub
    gate: Gate = request.app.state.gate
    failing = {name: str(failure) for name, failure in hub.models.failures.items()}
    unwritten = hub.journal.problem
    ready = hub.models.shared.name not in failing and unwritten is None
    status = 200 if ready else 503
    if "authorization" in request.headers:
        gate.visitor(request).administers()
    elif gate.book() is not None:
        return answers.json({"ready": ready}, status)
    body = {
        "ready": ready,
        "model": hub.models.shared.name,
        "mqtt": request.app.state.mqtt_state(),
        "journal": "ok" if unwritten is None else "not-durable",
        "problem": unwritten or next(iter(failing.values()), None),
        "failing": failing,
    }
    return answers.json(body, status)


async def metrics(request: Request) -> Response:
    """Give the counters to Prometheus."""
    request.app.state.gate.visitor(request).administers()
    hub: Hub = request.app.state.hub
    return Response(hub.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def frames(request: Request) -> Response:
    """Take one frame, or a label; the answer is its ack, sent when it is durable."""
    hub: Hub = request.app.state.hub
    limits = request.app.state.config.wire
    visitor = request.app.state.gate.visitor(request)
    options = dict(request.query_params)
    wire.check_names(options, wire.OF_STREAM)
    name = check_id("device", options.pop("device", ""))
    allowed = visitor.streams_as(name)
    session = options.pop("session", None)
    if session is not None:
        check_id("session", session)
    source = wire.check_source(options)
    payload = await answers.body(request, limits.max_frame_bytes)
    async with hub.devices.turn(name):
        allowed.message(len(payload))
        try:
            text = wire.looks_like_text(payload)
            told = hub.devices.told(name)
            frame = incoming.decode(payload, source, limits, text=text, told=told)
            if frame.seq is None:
                raise DeviceError("seq is missing: frames are numbered from 0")
            allowed.samples(incoming.count(frame))
            live = hub.locate(CHANNEL, name, session or frame.session, frame.seq, payload)
            hub.take(live, frame, source.rate_hz)
        except DeviceError as error:
            session = session or wire.session_of(payload)
            refused, _ = hub.refuse_unplaced(CHANNEL, name, session, payload, error)
            await hub.journal.committed(refused.group if refused else 0)
            raise
    await hub.journal.committed(live.group)
    return answers.json(Ack(session=live.session.id, seq=live.durable_seq - 1))


async def devices(request: Request) -> Response:
    """List the state of every device."""
    hub: Hub = request.app.state.hub
    query = request.app.state.gate.visitor(request).watching(Query())
    seen = [device.state() for device in hub.devices if query.sees(device.name)]
    return answers.json({"devices": seen})


async def device(request: Request) -> Response:
    """Give the state of one device."""
    visitor = request.app.state.gate.visitor(request)
    name = check_id("device", request.path_params["device"])
    visitor.sees(name)
    found = request.app.state.hub.devices.find(name)
    if found is None:
        raise HTTPException(404, f"device {name!r} has not been here")
    return answers.json(found.state())


async def check_face_up(request: Request) -> Response:
    """Learn a device's signs: it lies face up now."""
    visitor = request.app.state.gate.visitor(request)
    name = check_id("device", request.path_params["device"])
    visitor.streams_as(name)
    hub: Hub = request.app.state.hub
    async with hub.devices.turn(name):
        found = face_up.check(hub.devices, name)
        group = hub.turned(name)
    await hub.journal.committed(group)
    return answers.json(found)


async def history(request: Request) -> Response:
    """Page through predictions and activity events, oldest first."""
    hub: Hub = request.app.state.hub
    visitor = request.app.state.gate.visitor(request)
    params = request.query_params
    wire.check_names(params, OF_HISTORY)
    limit = _limit(params.get("limit", "100"))
    after = params.get("after", "")
    query = visitor.watching(_history_query(request), after)
    kept = hub.publisher.history
    place = await kept.place(after, query)
    if place is None and after:
        raise HTTPException(410, f"after = {after[:80]!r} is not kept; begin without it")
    page = await kept.page(place or 0, query, limit, kept.newest)
    more = len(page) == limit
    events = b",".join(entry.text.encode() for entry in page)
    following = msgspec.json.encode(str(page[-1].position) if more else None)
    body = b'{"events":[' + events + b'],"next":' + following + b"}"
    return Response(body, media_type="application/json")


def _history_query(request: Request) -> Query:
    params = request.query_params
    names = frozenset(filter(None, params.get("device", "").split(",")))
    types = frozenset(filter(None, params.get("type", "").split(",")))
    for name in names:
        check_id("device", name)
    if types - HISTORY_TYPES:
        raise ParameterError(f"type = {','.join(sorted(types))!r}: activity, prediction are kept")
    return Query(
        names, types, None, _time("from", params.get("from")), _time("to", params.get("to"))
    )


def _time(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ParameterError(f"{name} = {text[:80]!r}: an ISO 8601 time is needed") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _limit(text: str) -> int:
    if not (text.isdecimal() and len(text) <= len(str(MAX_PAGE)) and 1 <= int(text) <= MAX_PAGE):
        raise ParameterError(f"limit = {text[:80]!r}: 1 to {MAX_PAGE} is allowed")
    return int(text)
