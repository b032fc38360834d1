"""Where the apps in the table of dialects push their messages by HTTP."""

from functools import partial

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from stream.doors import answers, apps
from stream.errors import DeviceError
from stream.hub import Hub
from stream.sensor_apps.dialects import POSTED
from stream.sensor_apps.dialects.dialect import Dialect
from stream.wire import check_id

CHANNEL = "http"
SHOWN_TO_USER = 499  # Sensor Logger shows the text of this answer, once a recording

ANYWHERE = Middleware(  # browsers ask first whether a page of another origin may post
    CORSMiddleware,
    allow_origins=["*"],
    allow_methods=["POST"],
    allow_headers=["*"],
    allow_private_network=True,
)


def routes() -> list[BaseRoute]:
    """Return the routes of each dialect."""
    own: list[BaseRoute] = [
        Route(f"/v1/{dialect.name}", partial(take, dialect), methods=["POST"]) for dialect in POSTED
    ]
    for_pages = [
        Route(path, partial(take, dialect), methods=["POST", "OPTIONS"], middleware=[ANYWHERE])
        for dialect in POSTED
        for path in dialect.paths
    ]
    return own + for_pages


async def take(dialect: Dialect, request: Request) -> Response:
    """Take one message of an app: 200, or 499 with what its user should change.

    Apps that can set no header have their token in the URL, or in the one that they do set. A
    device's token names the device.
    """
    hub: Hub = request.app.state.hub
    limits = request.app.state.config.wire
    shown = request.query_params.get("token", request.headers.get("x-api-key"))
    visitor = request.app.state.gate.visitor(request, shown)
    device = request.query_params.get("device", visitor.device)
    if device or "device" in request.query_params:
        check_id("device", device)
    try:
        payload = await answers.body(request, limits.max_push_bytes)
    except answers.TooBigError as error:
        return PlainTextResponse(dialect.too_big(error.limit), SHOWN_TO_USER)
    allowed = visitor.streams_as(device or dialect.owner(payload))
    try:
        advice = await apps.take(hub, CHANNEL, dialect, limits, payload, allowed, device)
    except DeviceError as error:
        hub.refuse(None, CHANNEL, error)
        raise
    await hub.journal.committed(advice.group)
    if advice.text:
        return PlainTextResponse(advice.text, SHOWN_TO_USER)
    return PlainTextResponse("ok\n")
