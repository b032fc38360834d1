"""How exposed a server is: what only this machine can reach, and from where browsers may come.

Pure: decides on names and addresses, and looks up none.
"""

import ipaddress
import re

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
    lacking = []
    if not tokens:
        lacking.append(
            "anyone who reaches it could stream and watch: make tokens with `gaitway token add`"
        )
    if not tls:
        lacking.append("tokens and samples would cross the network in clear text: set up TLS")
    raise ConfigError(
        f"server.host = {host!r} lets other machines in, and {'; and '.join(lacking)}; or start "
        "with --insecure on a network that you trust"
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
