"""What HTTP endpoints share: reading what was posted, and answering in JSON.

Errors become problem details (RFC 9457).
"""

from math import ceil
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from stream.errors import (
    AccessError,
    CheckError,
    DeviceError,
    JournalError,
    OverloadedError,
    ParameterError,
    TooFastError,
    UnauthenticatedError,
)

LONGEST_S = 3600.0  # that somebody is told to wait
TOO_BIG = "too-big"  # what a frame or a body that is longer than allowed is counted as


class TooBigError(HTTPException):
    """More was posted than is allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"more than {limit} bytes: at most {limit} are allowed")
        self.limit = limit


async def body(request: Request, limit: int) -> bytes:
    """Return what was posted; raises TooBigError where it is longer than `limit`."""
    read = bytearray()
    try:
        async for chunk in request.stream():
            read += chunk
            if len(read) > limit:
                request.app.state.hub.metrics.refused.labels("http", TOO_BIG).inc()
                raise TooBigError(limit)
    except ClientDisconnect as error:
        raise HTTPException(400, "the request ended in the middle") from error
    return bytes(read)


def json(content: object, status: int = 200) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def problem(
    status: int, title: str, detail: str, headers: dict[str, str] | None = None, **more: object
) -> Response:
    """Answer with what is wrong (RFC 9457)."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    content = msgspec.json.encode(body)
    return Response(content, status, headers, media_type="application/problem+json")


async def _http_problem(_request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, "The request can't be served", error.detail, headers)


async def _parameter_problem(_request: Request, error: ParameterError) -> Response:
    return problem(400, "A parameter is not allowed", str(error))


async def _device_problem(_request: Request, error: DeviceError) -> Response:
    return problem(422, "The frame is nonsense", str(error), code=error.code, seq=error.seq)


async def _overloaded_problem(_request: Request, error: OverloadedError) -> Response:
    return problem(503, "Overloaded", str(error), {"Retry-After": "1"}, code=error.code)


async def _too_fast_problem(_request: Request, error: TooFastError) -> Response:
    headers = {"Retry-After": str(ceil(min(error.retry_after_s, LONGEST_S)))}
    return problem(429, "Too much", str(error), headers, code=error.code)


async def _unauthenticated_problem(request: Request, error: UnauthenticatedError) -> Response:
    request.app.state.gate.turned_away(request, error)
    return problem(401, "A token is needed", str(error), {"WWW-Authenticate": "Bearer"})


async def _access_problem(request: Request, error: AccessError) -> Response:
    request.app.state.gate.turned_away(request, error)
    return problem(403, "That is not allowed", str(error))


async def _our_problem(_request: Request, _error: Exception) -> Response:
    return problem(500, "The server failed", "its log says why")


async def _check_problem(_request: Request, error: CheckError) -> Response:
    return problem(409, "The check can't be made now", str(error))


async def _journal_problem(_request: Request, error: JournalError) -> Response:
    return problem(503, "The history can't be read", str(error), {"Retry-After": "1"})


PROBLEMS: Any = {
    HTTPException: _http_problem,
    ParameterError: _parameter_problem,
    DeviceError: _device_problem,
    OverloadedError: _overloaded_problem,
    TooFastError: _too_fast_problem,
    UnauthenticatedError: _unauthenticated_problem,
    AccessError: _access_problem,
    Exception: _our_problem,
    CheckError: _check_problem,
    JournalError: _journal_problem,
}
