"""How a phone comes to trust this server: the authority's certificate, and a page with the steps.

A phone that does not trust us yet finds both without TLS, at a port that serves nothing else.
"""

from html import escape
from string import Template
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from stream import addresses
from stream.doors import answers, web

if TYPE_CHECKING:  # loads what only TLS needs
    from stream.tls.identity import Authority, Identity


def routes() -> list[BaseRoute]:
    """Return what the server itself serves of it."""
    return [Route("/trust", page), Route("/ca.crt", certificate)]


def door(identity: "Identity", port: int) -> Starlette:
    """Build the application of the port without TLS; `port` is the one with it."""
    served = [Route("/", page), *routes(), Mount("/pages", web.Files(directory=web.PAGES))]
    application = Starlette(routes=served, exception_handlers=answers.PROBLEMS)
    application.state.identity = identity
    application.state.phone_port = port  # and not to the one that was asked, which is the door's
    return application


async def page(request: Request) -> Response:
    """Say how to install the certificate, and where to go then."""
    _authority(request)
    host, port = web.asked_host(request) or (addresses.own(), "")
    port = f":{request.app.state.phone_port}" if request.app.state.phone_port else port
    url = escape(f"https://{addresses.in_url(host)}{port}/phone")
    text = Template((web.PAGES / "trust.html").read_text("utf-8")).substitute(url=url)
    return HTMLResponse(text, headers={**web.HEADERS, "Vary": "Host"})


async def certificate(request: Request) -> Response:
    """Return the authority's certificate, under the type that makes phones install it."""
    content = _authority(request).pem
    return Response(content, media_type="application/x-x509-ca-cert", headers=web.HEADERS)


def _authority(request: Request) -> "Authority":
    identity: Identity | None = request.app.state.identity
    if identity is None or identity.authority is None:
        raise HTTPException(404, "there is no authority here: start with `gaitway serve --https`")
    return identity.authority
