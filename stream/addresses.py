"""How this machine is reached: its addresses and names."""

import re
import socket

ANY = ("0.0.0.0", "::")  # noqa: S104  compared, not bound
_ELSEWHERE = ("192.0.2.1", 9)  # an address kept for documents: nothing is sent to it
_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


def own() -> str:
    """Return the address by which this machine's network knows it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(_ELSEWHERE)
            return str(asking.getsockname()[0])
        except OSError:  # no network
            return socket.gethostname()


def of_machine() -> list[str]:
    """Return every name and address by which somebody may reach this machine, sorted."""
    import psutil  # noqa: PLC0415  most starts do without

    found = {"localhost", "127.0.0.1", "::1"}
    host = socket.gethostname().rstrip(".")
    short = host.partition(".")[0]
    found |= {name for name in (host, short, f"{short}.local") if _NAME.fullmatch(name)}
    for addresses in psutil.net_if_addrs().values():
        found |= {a.address for a in addresses if a.family in {socket.AF_INET, socket.AF_INET6}}
    # What has a zone (fe80::1%eth0) is written differently on each machine, and in no URL.
    return sorted(name for name in found if "%" not in name)


def for_phones(listening: str, name: str = "") -> str:
    """Return how phones best call this machine: by `name`, if any, or by an address.

    `listening` is the address that the server listens on.
    """
    return name or (own() if listening in ANY else listening)


def in_url(host: str) -> str:
    """Write a name or address as URLs do."""
    return f"[{host}]" if ":" in host else host
