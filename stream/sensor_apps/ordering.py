"""Numbered messages of one session, put in order. Knows nothing of what they hold."""

from typing import Generic, TypeVar

MAX_WAITING = 3  # messages that wait for one that is missing

T = TypeVar("T")


class Ordering(Generic[T]):
    """Holds a message back until those before it are there, or `MAX_WAITING` wait for them.

    One whose turn has passed is let through at once: what it holds may be late.
    """

    def __init__(self) -> None:
        self._next: int | None = None
        self._waiting: dict[int, T] = {}

    def save(self) -> tuple[int | None, dict[int, T]]:
        """Return all that it remembers, for `restore`."""
        return self._next, dict(self._waiting)

    def restore(self, state: tuple[int | None, dict[int, T]]) -> None:
        """Go on where `state` was saved."""
        self._next, self._waiting = state[0], dict(state[1])

    def feed(self, number: int, message: T) -> list[T]:
        """Take a message; return those whose turn it is, in order."""
        if self._next is None:  # the first may have been overtaken, if few came before it
            self._next = 0 if 0 <= number <= MAX_WAITING else number
        if number < self._next or number in self._waiting:
            return [message]
        self._waiting[number] = message
        if len(self._waiting) > MAX_WAITING:
            self._next = min(self._waiting)
        ready = []
        while self._next in self._waiting:
            ready.append(self._waiting.pop(self._next))
            self._next += 1
        return ready
