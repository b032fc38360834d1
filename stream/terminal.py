"""What the terminal says of a running service: where it is, who may in, and a code for phones."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import segno
import typer

from stream import __version__, addresses
from stream.access.exposure import is_here
from stream.config import Config

if TYPE_CHECKING:  # loads what only a server needs
    from stream.service import Service


def greeting(settings: Config, running: "Service", *, color: bool) -> Iterator[str]:
    """Yield the lines that say where everything is."""
    yield f"gaitway {__version__}, model {running.hub.models.shared.name}"
    for device, model in running.hub.models.personal.items():
        yield f"  for {device} alone, model {model.name}"
    yield f"  phones     {running.ws_url}/v1/stream?device=NAME"
    yield f"  listeners  {running.ws_url}/v1/events"
    yield f"  http       {running.http_url}/v1/devices"
    yield f"  browser    {running.http_url}/ and, for a phone, /phone"
    if settings.server.address in addresses.ANY:
        yield f"  elsewhere  the same at {addresses.own()}:{running.port}"
    host = addresses.own() if running.host in addresses.ANY else running.host
    for app, port in running.doors.ports.items():
        yield f"  tcp        {addresses.in_url(host)}:{port} for {app}"
    yield f"  journal    {settings.journal.path or 'none: a stop forgets sessions and history'}"
    if settings.mqtt.url:
        yield f"  mqtt       {settings.mqtt.base}/NAME/samples"
    if settings.record.folder:
        yield f"  recording  what phones are labelled with, to {settings.record.folder}"
    for device, own in settings.devices.items():
        if own.url:
            yield f"  dialled    {device} at {own.url}"
    yield from _who_may_in(settings, running)
    yield from invitation(running, color=color)


def _who_may_in(settings: Config, running: "Service") -> Iterator[str]:
    book = running.gate.book()
    if book is not None:
        yield f"  tokens     asked for: {len(book)} in {settings.auth.tokens}"
    elif not is_here(running.host):
        yield "  open       to everyone who reaches it, as --insecure says"


def invitation(running: "Service", *, color: bool) -> Iterator[str]:
    """Yield the lines; none where phones can't come, or would get no motion there.

    `color` keeps the code dark on light whatever the terminal's colours are; without, it is right
    on dark ones.
    """
    identity = running.identity
    if identity is None or is_here(running.host):
        return
    host = addresses.in_url(addresses.for_phones(running.host, identity.name))
    fragment = f"#token={running.first_token}" if running.first_token else ""
    url = f"https://{host}:{running.port}/phone{fragment}"
    yield ""
    if identity.authority:
        trust = f"http://{host}:{running.trust_port}/"
        yield f"  A phone's first time: open {trust} there, to install the certificate, SHA-256"
        yield f"  {identity.authority.fingerprint}"
        yield ""
    scan = "Then scan" if identity.authority else "Scan"
    yield from (f"  {scan} this with a phone, or open {url} there:", "")
    for line in code(url):
        yield "  " + (typer.style(line, fg="bright_white", bg="black") if color else line)
    if running.first_token:
        yield from _first(running)
    elif running.gate.book() is not None:
        yield "  The page asks for a token: `gaitway token add --device NAME` makes one."


def _first(running: "Service") -> Iterator[str]:
    """Yield what there is to know of the first token."""
    token = running.first_token
    yield ""
    yield f"  The code holds the first token, {token},"
    yield "  which is shown this once: it streams as any phone and sees everyone. To use it here:"
    yield f"    {running.http_url}/#token={token}"
    yield f"    GAITWAY_TOKEN={token} gaitway watch {running.ws_url}"
    yield f"  `gaitway token revoke {token[3:11]}` ends that; `gaitway token add` makes others."


def code(url: str) -> list[str]:
    """Draw a QR code, light on dark."""
    drawn = io.StringIO()
    segno.make(url, micro=False).terminal(drawn, border=2, compact=True)
    return drawn.getvalue().splitlines()
