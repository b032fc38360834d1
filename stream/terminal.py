"""What the terminal shows to phones: a code to scan, and how to come to trust it."""

import io
from collections.abc import Iterator

import segno
import typer

from stream import addresses
from stream.service import Service


def invitation(running: Service, *, color: bool) -> Iterator[str]:
    """Yield the lines; none where phones can't come, or would get no motion there.

    `color` keeps the code dark on light whatever the terminal's colours are; without, it is right
    on dark ones.
    """
    identity = running.identity
    if identity is None or addresses.is_here(running.host):
        return
    host = addresses.in_url(addresses.for_phones(running.host, identity.name))
    url = f"https://{host}:{running.port}/phone"
    yield ""
    yield f"  Scan this with a phone, or open {url} there:"
    yield ""
    for line in _code(url):
        yield "  " + (typer.style(line, fg="bright_white", bg="black") if color else line)
    if identity.authority:
        trust = f"http://{host}:{running.trust_port}/"
        yield ""
        yield f"  The first time, open {trust} there, to install the certificate with the SHA-256"
        yield f"  {identity.authority.fingerprint}"


def _code(url: str) -> list[str]:
    drawn = io.StringIO()
    segno.make(url, micro=False).terminal(drawn, border=2, compact=True)
    return drawn.getvalue().splitlines()
