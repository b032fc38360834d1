"""HTTP on the same port: frames by POST, current state, history, health, metrics and the pages.

Errors are problem details (RFC 9457).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from stream import __version__, web, websocket, wire
from stream.config import Config
from stream.errors import DeviceError, OverloadedError, ParameterError
from stream.events import Ack
from stream.history import Entry, Query
from stream.hub import Hub
from stream.outbox import Outbox
from stream.wire import check_id

CHANNEL = "http"
MAX_PAGE = 1000
HISTORY_TYPES = frozenset({"activity", "prediction"})


def app(config: Config, hub: Hub, mqtt_state: Callable[[], str]) -> Starlette:
    """Build the ASGI application; `mqtt_state` returns a word on the broker."""
    routes: list[BaseRoute] = [
        Route("/", index),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
        Route("/v1/frames", frames, methods=["POST"]),
        Route("/v1/devices", devices),
        Route("/v1/devices/{device}", device),
        Route("/v1/events", history),
        WebSocketRoute("/v1/stream", websocket.stream),
        WebSocketRoute("/v1/events", websocket.events),
        *web.routes(),
    ]
    handlers: Any = {
        HTTPException: _http_problem,
        ParameterError: _parameter_problem,
        DeviceError: _device_problem,
        OverloadedError: _overloaded_problem,
    }
    application = Starlette(routes=routes, exception_handlers=handlers)
    application.state.config = config
    application.state.hub = hub
    application.state.mqtt_state = mqtt_state
    application.state.outboxes = set[Outbox]()
    return application


async def index(request: Request) -> Response:
    """Say what this is and where things are: to browsers, with the dashboard."""
    if web.wants_page(request):
        return web.dashboard(request)
    answer = _json(
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

    A device's own model that fails is named, but is nobody else's trouble.
    """
    hub: Hub = request.app.state.hub
    failing = {name: str(failure) for name, failure in hub.models.failures.items()}
    ready = hub.models.shared.name not in failing
    body = {
        "ready": ready,
        "model": hub.models.shared.name,
        "mqtt": request.app.state.mqtt_state(),
        "problem": next(iter(failing.values()), None),
        "failing": failing,
    }
    return _json(body, status=200 if ready else 503)


async def metrics(request: Request) -> Response:
    """Give the counters to Prometheus."""
    hub: Hub = request.app.state.hub
    return Response(hub.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def frames(request: Request) -> Response:
    """Take one frame, text or binary; the answer is its ack."""
    hub: Hub = request.app.state.hub
    limits = request.app.state.config.wire
    options = dict(request.query_params)
    name = check_id("device", options.pop("device", ""))
    session = options.pop("session", None)
    if session is not None:
        check_id("session", session)
    source = wire.check_source(options)
    payload = await _body(request, limits.max_frame_bytes)
    try:
        text = wire.looks_like_text(payload)
        frame = wire.decode(payload, source, limits, text=text)
        if frame.seq is None:
            raise DeviceError("seq is missing: frames are numbered from 0")
        live = hub.locate(CHANNEL, name, session or frame.session, frame.seq, payload)
        hub.take(live, frame, source.rate_hz)
    except DeviceError as error:
        hub.refuse_unplaced(CHANNEL, name, session or wire.session_of(payload), payload, error)
        raise
    return _json(Ack(session=live.session.id, seq=live.session.next_seq - 1))


async def devices(request: Request) -> Response:
    """List the state of every device."""
    hub: Hub = request.app.state.hub
    return _json({"devices": [device.state() for device in hub.devices]})


async def device(request: Request) -> Response:
    """Give the state of one device."""
    name = check_id("device", request.path_params["device"])
    found = request.app.state.hub.devices.find(name)
    if found is None:
        raise HTTPException(404, f"device {name!r} has not been here")
    return _json(found.state())


async def history(request: Request) -> Response:
    """Page through predictions and activity events, oldest first."""
    hub: Hub = request.app.state.hub
    params = request.query_params
    limit = _limit(params.get("limit", "100"))
    after = params.get("after")
    kept = hub.publisher.history
    if after is not None and not kept.knows(after):
        raise HTTPException(410, f"after = {after[:80]!r} is not kept; begin without it")
    page: list[Entry] = []
    for entry in kept.after(after, _history_query(request)):
        if len(page) == limit:
            break
        page.append(entry)
    more = len(page) == limit
    events = b",".join(entry.text.encode() for entry in page)
    following = msgspec.json.encode(page[-1].id if more else None)
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


async def _body(request: Request, limit: int) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise HTTPException(413, f"more than {limit} bytes: a frame has at most {limit}")
    except ClientDisconnect as error:
        raise HTTPException(400, "the request ended in the middle") from error
    return bytes(body)


def _json(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def _problem(
    status: int, title: str, detail: str, headers: dict[str, str] | None = None, **more: object
) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    content = msgspec.json.encode(body)
    return Response(content, status, headers, media_type="application/problem+json")


async def _http_problem(_request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers) if error.headers else None
    return _problem(error.status_code, "The request can't be served", error.detail, headers)


async def _parameter_problem(_request: Request, error: ParameterError) -> Response:
    return _problem(400, "A parameter is not allowed", str(error))


async def _device_problem(_request: Request, error: DeviceError) -> Response:
    return _problem(422, "The frame is nonsense", str(error), code=error.code, seq=error.seq)


async def _overloaded_problem(_request: Request, error: OverloadedError) -> Response:
    return _problem(503, "Overloaded", str(error), {"Retry-After": "1"}, code=error.code)
