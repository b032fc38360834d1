"""What a browser gets: the two pages, their files, and the code that leads a phone to its page.

Serves files as they are; the pages themselves speak the protocol like any other client.
"""

import io
import os
import re
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple

import segno
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from stream import addresses
from stream.access.exposure import is_here

PAGES = Path(__file__).parents[1] / "pages"
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Permissions-Policy": "accelerometer=(self), gyroscope=(self), screen-wake-lock=(self), "
    "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-cache",  # kept, but asked for again: an ETag answers that in 304
}
HTTPS = "gaitway serve --https"
MAX_HOST = 253 + len(":65535")  # a name, and a port
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


class Invitation(NamedTuple):
    """Where a phone finds its page, and what, if anything, is in its way."""

    url: str
    advice: str
    trust: str = ""  # where a phone learns to trust us, if it must


class Files(StaticFiles):
    """The files of the pages, with the pages' headers."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file, or 304 where the browser has it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(HEADERS)
        return response


def routes() -> list[BaseRoute]:
    """Return where the pages are served; `/` is shared with programs, and not among them."""
    return [
        Route("/phone", phone),
        Route("/phone.svg", code),
        Mount("/pages", Files(directory=PAGES)),
    ]


def wants_page(request: Request) -> bool:
    """Whether a browser asks, and not a program."""
    return "text/html" in request.headers.get("accept", "")


def dashboard(request: Request) -> Response:
    """Return the dashboard, with the way to the phone's page written into it."""
    url, advice, trust = invitation(request)
    words = {
        "url": escape(url),
        "advice": escape(advice),
        "advice_hidden": "" if advice else "hidden",
        "trust": escape(trust),
        "trust_hidden": "" if trust else "hidden",
    }
    text = Template((PAGES / "dashboard.html").read_text("utf-8")).substitute(words)
    return HTMLResponse(text, headers={**HEADERS, "Vary": "Accept, Host"})


async def phone(_request: Request) -> Response:
    """Return the page that makes a phone's browser a device."""
    return HTMLResponse((PAGES / "phone.html").read_text("utf-8"), headers=HEADERS)


async def code(request: Request) -> Response:
    """Draw the phone page's address as a QR code."""
    return Response(_drawn(invitation(request).url), media_type="image/svg+xml", headers=HEADERS)


@lru_cache(maxsize=16)
def _drawn(url: str) -> bytes:
    """Draw an address once: that takes 6 ms, and whoever asks may ask often."""
    drawn = io.BytesIO()
    segno.make(url, micro=False).save(
        drawn, kind="svg", dark="#000", light="#fff", border=4, omitsize=True, xmldecl=False
    )
    return drawn.getvalue()


def invitation(request: Request) -> Invitation:
    """Tell a phone's way here: the browser's own, or, from this machine itself, the network's."""
    state = request.app.state
    server = state.config.server
    name, port = asked_host(request) or (server.address, f":{server.port}")
    advice = ""
    if is_here(name):
        if is_here(server.address):
            how = "--host 0.0.0.0" if request.url.scheme == "https" else HTTPS
            advice = f"This server listens on this machine only: start it with {how}."
        else:
            name = addresses.for_phones(
                server.address, state.identity.name if state.identity else ""
            )
    if not advice and request.url.scheme != "https":
        advice = f"Phones give motion to https pages only: start the server with {HTTPS}."
    host = addresses.in_url(name)
    trust = f"http://{host}:{state.trust_port}/" if state.trust_port and not advice else ""
    return Invitation(f"{request.url.scheme}://{host}{port}/phone", advice, trust)


def asked_host(request: Request) -> tuple[str, str] | None:
    """Return the name and the `:port`, which may be empty, by which we were asked, if any."""
    host = request.headers.get("host", "")
    if len(host) > MAX_HOST or not _HOST.fullmatch(host):
        return None
    found = re.fullmatch(r"(.*?)(:\d+)?", host)
    return (found[1].strip("[]"), found[2] or "") if found else None
