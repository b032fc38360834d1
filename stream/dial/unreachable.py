"""Why a call to a phone failed, and what to do about it: a short clause for each kind of reason."""

import socket
from collections.abc import Iterator

from stream.errors import UnreachableError

NAME = "no machine has this name: correct the url of this device"
REFUSED = "nobody listens there: {start}, and check the port"
SILENT = "see that the phone is on, in this network, and still at this address"
FOREIGN = "something else answers there: check the port, and {start}"


def unreachable(error: Exception, start: str, *, foreign: bool) -> UnreachableError:
    """Word what a library said.

    `start` is how the app is made to answer; `foreign` says that what answered doesn't speak as
    the app does.
    """
    why = str(error) or type(error).__name__
    todo = (FOREIGN if foreign else _todo(error)).format(start=start)
    return UnreachableError(f"cannot be reached: {why}; {todo}")


def _todo(error: Exception) -> str:
    for reason in _reasons(error):
        if isinstance(reason, socket.gaierror):
            return NAME
        if isinstance(reason, ConnectionRefusedError):
            return REFUSED
    return SILENT


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and all that led to it: httpx hides the system's behind its own."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
