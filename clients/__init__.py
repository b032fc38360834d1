"""Gaitway's clients: a phone that streams, a listener that watches, and tools made of both.

The names below are imported when they are first used, so that the command line starts quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clients.errors import ClientError, NonsenseError, RefusedError, UnreachableError
    from clients.listen import watch
    from clients.messages import Message
    from clients.phone import Phone

__all__ = [
    "ClientError",
    "Message",
    "NonsenseError",
    "Phone",
    "RefusedError",
    "UnreachableError",
    "watch",
]
_HOMES = {"Message": "messages", "Phone": "phone", "watch": "listen"}


def __getattr__(name: str) -> Any:  # noqa: ANN401  whatever is asked for
    if name not in __all__:
        raise AttributeError(f"module 'clients' has no attribute {name!r}")
    return getattr(import_module(f"clients.{_HOMES.get(name, 'errors')}"), name)
