"""How exposed a server is: what only this machine can reach, and from where browsers may come.

Pure: decides on names and addresses, and looks up none.
"""

import ipaddress
import re
from collections.abc import Sequence

from stream.errors import ConfigError, OriginError

_HOST = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|([A-Za-z0-9._-]+)(?::\d{1,5})?")
_NEAR = ("localhost", "local", "internal", "home.arpa", "lan")  # nobody can own a name below these


def is_here(host: str) -> bool:
    """Whether `host` is this machine itself, as seen by this machine."""
    if f".{host.rstrip('.').lower()}".endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def may_start(host: str, *, tls: bool, tokens: bool, insecure: bool) -> None:
    """Raise ConfigError where others could reach a server that asks for nothing, or in clear text.

    `tokens`: there are some, and they are asked for. `insecure`: the operator wants it so.
    """
    if insecure or is_here(host) or (tls and tokens):
        return
    lacking, remedy = [], "`gaitway serve --https`, which sees to that"
    if not tokens:
        lacking.append("anyone who reaches it could stream and watch")
    if not tls:
        lacking.append("tokens and samples would cross the network in clear text")
    else:
        remedy = "again after `gaitway token add`, with auth.required not never"
    raise ConfigError(
        f"server.host = {host!r} lets other machines in: {', and '.join(lacking)}; start {remedy}, "
        f"or, on a network that you trust, `gaitway serve --host {host} --insecure`"
    )


def may_open_tcp(host: str, apps: Sequence[str], *, insecure: bool) -> None:
    """Raise ConfigError where others could reach the ports of apps that can show no token."""
    if apps and not insecure and not is_here(host):
        raise ConfigError(
            f"server.host = {host!r} lets other machines in, and the apps behind [tcp] "
            f"({', '.join(apps)}) can show no token and know no TLS: switch them off, or, on a "
            "network that you trust, start with --insecure"
        )


def check_origin(origin: str | None, host: str, allowed: tuple[str, ...]) -> None:
    """Refuse a browser whose page is from elsewhere; raises OriginError.

    `origin` and `host` are the headers of these names; programs send no `origin`.
    """
    if origin is None or origin in allowed:
        return
    scheme, _, where = origin.partition("://")
    if scheme not in ("http", "https") or where.lower() != host.lower():
        raise OriginError(
            f"a page of {origin[:80]!r} may not talk to this server: list it in auth.origins if it "
            "should"
        )


def check_host(host: str, allowed: tuple[str, ...]) -> None:
    """Refuse what calls an open server by a name that a stranger can own; raises OriginError.

    Such a name can be made to lead here, so that a stranger's page counts as the server's own.
    """
    name = _name_in(host)
    if not name:
        raise OriginError(f"Host {host[:80]!r} is no name of a server")
    if _is_address(name) or "." not in name or any(name.endswith(f".{end}") for end in _NEAR):
        return
    if name not in (_name_in(origin.partition("://")[2]) for origin in allowed):
        raise OriginError(
            f"Host {name[:80]!r} is not known to this server, which asks for no tokens: make some, "
            "or list it in auth.origins"
        )


def _name_in(host: str) -> str:
    """Return a Host header's name without its port; empty where it is none."""
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]).lower().rstrip(".") if found else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
