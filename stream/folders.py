"""Where Gaitway keeps what is its own: under `$XDG_DATA_HOME`, or `~/.local/share`."""

import os
from pathlib import Path


def data() -> Path:
    """Return the folder of what outlives the program; it need not exist."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "share") / "gaitway"


def tls() -> Path:
    """Return the folder of Gaitway's certificate authority and this machine's certificate."""
    return data() / "tls"


def authority() -> Path:
    """Return the file of the authority's certificate, which everybody may read."""
    return tls() / "ca.crt"
