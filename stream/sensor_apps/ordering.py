"""Numbered messages of one session, put in order. Knows nothing of what they hold."""

from typing import Generic, TypeVar

MAX_WAITING = 3  # messages that wait for one that is missing

T = TypeVar("T")


class Ordering(Generic[T]):
    """Holds a message back until those before it are there, or `MAX_WAITING` wait for them.

    One whose turn has passed is let through at once: what it holds may be late. One that waits
    already is dropped. The first of a session that was heard in the middle waits for a second,
    which it may have overtaken.
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
        if self._next is None and not self._waiting and not 0 <= number <= MAX_WAITING:
            self._waiting[number] = message
            return []
        if self._next is None:
            self._next = self._begins(number)
        waiting = self._waiting.get(number)
        passed = number < self._next or waiting is not None
        if not passed:
            self._waiting[number] = message
        late = [message] if passed and message != waiting else []
        return [*self._in_turn(self._next), *late]

    def _begins(self, number: int) -> int:
        """Return the first number, now that a message with `number` is there."""
        if not self._waiting:
            return 0  # few came before it, and it may have overtaken them
        first = min(self._waiting)
        return number if first - MAX_WAITING <= number < first else first

    def _in_turn(self, number: int) -> list[T]:
        if len(self._waiting) > MAX_WAITING:
            number = min(self._waiting)
        ready = []
        while number in self._waiting:
            ready.append(self._waiting.pop(number))
            number += 1
        self._next = number
        return ready
