"""Gaitway's clients: a phone that streams, a listener that watches, and tools made of both."""

from clients.errors import ClientError, NonsenseError, RefusedError, UnreachableError
from clients.messages import Message
from clients.phone import Phone
from clients.watch import watch

__all__ = [
    "ClientError",
    "Message",
    "NonsenseError",
    "Phone",
    "RefusedError",
    "UnreachableError",
    "watch",
]
