"""Whose certificates a client trusts: the system's authorities, and Gaitway's own or one given."""

import ssl
from functools import lru_cache
from pathlib import Path

from stream import folders
from stream.errors import ParameterError


def context(ca: Path | None = None) -> ssl.SSLContext:
    """Return what to connect with; raises ParameterError for a file that holds no certificate.

    Without `ca`, the authority that `gaitway serve --https` made on this machine is trusted, if
    there is one.
    """
    if ca is None:
        own = folders.authority()
        ca = own if own.is_file() else None
    try:
        return _context(ca, ca.stat().st_mtime_ns if ca else 0)
    except ssl.SSLError as error:
        raise ParameterError(f"--ca {str(ca)!r}: holds no certificate in PEM") from error
    except OSError as error:
        raise ParameterError(f"--ca {str(ca)!r}: cannot be read: {error.strerror}") from error


@lru_cache(maxsize=8)  # the system's authorities take 20 ms to load, and thousands may connect
def _context(ca: Path | None, _changed: int) -> ssl.SSLContext:
    made = ssl.create_default_context()
    if ca:
        made.load_verify_locations(ca)
    return made
