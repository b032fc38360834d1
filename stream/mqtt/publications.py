"""What the broker is to get, and what it has not acked yet. Knows no connection and no journal."""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

LINGER_S = 5.0  # a broker that is killed forgets what it acked since it last saved
STEP_S = 0.25  # between two places in the history that are remembered of that time


class Publication(NamedTuple):
    """One message for the broker."""

    topic: str
    payload: bytes | str
    retain: bool
    position: int = 0  # in the history; 0: it is not there
    session: str = ""  # that a state is of, where the topic is the device's


class Publications:
    """A queue that survives a lost connection: the history in its order, and the newest state.

    What is in the history waits here only while the broker keeps up. Where more than `limit` would
    wait, and after a lost connection, `fill` brings it from there, beginning with what the broker
    acked within `LINGER_S` before the loss; who has that knows it by its ids.

    So connections that hold for less than `LINGER_S` get nothing done but that part of it.

    Retained messages are state: of a topic and session only the newest counts, and after a
    reconnect all of it is queued anew, so none of it is kept. The rest, errors for one device, are
    sent again where they were not acked; of more than `limit` the newest are dropped.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.done = 0  # position up to which the broker has all
        self._limit = limit
        self._clock = clock
        self._next = 0
        self._states: OrderedDict[tuple[str, str], Publication] = OrderedDict()
        self._waiting: deque[Publication] = deque()
        self._sent: OrderedDict[int, Publication] = OrderedDict()  # not acked yet
        self._keeps_up = True  # what is new in the history waits here; else it is to be read
        self._queued = self._taken = 0  # position of the newest that waited here, and was sent
        self._safe = 0  # position up to which the broker had all `LINGER_S` ago
        self._lately: deque[tuple[float, int]] = deque()  # where `done` was since, and when
        self._moved = -math.inf  # when it moved last
        self._states_wait = False  # until the first part of the history, after a reconnect
        self._owed = 0  # states that go out before the next part
        self._left = False  # no more of the history is sent
        self._some, self._lacks, self._all_sent = (asyncio.Event() for _ in range(3))

    def begin(self, position: int) -> None:
        """Begin behind a position of the history, that the broker has all up to."""
        self.done = self._safe = position
        self._go_back()

    def put(self, publication: Publication) -> int:
        """Queue a message, or leave it to the history; return how many were dropped."""
        dropped = 0
        if publication.retain:
            self._states[publication.topic, publication.session] = publication
        elif publication.position:
            self._keeps_up = self._keeps_up and len(self._waiting) < self._limit
            if self._keeps_up:
                self._queue(publication)
        elif len(self._waiting) < self._limit:
            self._waiting.append(publication)
        else:
            dropped = 1
        self._notify()
        return dropped

    async def lacking(self) -> int:
        """Wait until more of the history is to be read; return after which position."""
        await self._lacks.wait()
        return self._queued

    def fill(self, read: Iterable[Publication], reached: int, *, last: bool) -> None:
        """Queue what follows in the history up to a position; `last`: there is no more of it."""
        if self._left:
            return
        self._waiting.extend(read)
        self._queued, self._keeps_up, self._states_wait = reached, last, False
        self._notify()

    async def take(self) -> tuple[int, Publication]:
        """Wait for the next message to send, and its number for `acked`.

        What happened comes before what is, so that neither surprises; where much happened while
        the broker was away, it comes in parts, and what is between them.
        """
        await self._some.wait()
        number, self._next = self._next, self._next + 1
        if self._waiting:
            publication = self._waiting.popleft()
            self._owed = 0 if self._waiting or self._states_wait else len(self._states)
        else:
            publication = self._states.popitem(last=False)[1]
            self._owed = max(self._owed - 1, 0)
        self._taken = publication.position or self._taken
        self._sent[number] = publication
        self._notify()
        return number, publication

    def acked(self, number: int) -> bool:
        """Forget a message that the broker has; say whether `done` moved."""
        self.settled()
        before = self.done
        if self._sent.pop(number, None) is not None:
            oldest = next((sent.position for sent in self._sent.values() if sent.position), None)
            self.done = self._taken if oldest is None else oldest - 1
        if self.done > before:
            self._moved = self._clock()
            if not self._lately or self._moved - self._lately[-1][0] >= STEP_S:
                self._lately.append((self._moved, self.done))
        self._notify()
        return self.done > before

    def settled(self) -> None:
        """Note what the broker has for good; call it too at the moment a connection is lost."""
        before = self._clock() - LINGER_S
        while self._lately and self._lately[0][0] <= before:
            self._safe = self._lately.popleft()[1]
        if self._moved <= before:
            self._safe = self.done

    def leave(self) -> None:
        """Send no more of a history that is read part by part: the next start goes on with it."""
        if not self._keeps_up:
            self._waiting = deque(filter(_is_error, self._waiting))
            self._left, self._states_wait = True, False
            self._notify()

    async def all_sent(self) -> None:
        """Wait until the broker has everything that was queued."""
        await self._all_sent.wait()

    def reconnected(self) -> int:
        """Queue again what a lost connection may not have delivered, before all else; forget state.

        Returns how many messages were dropped, where they are more than the limit.
        """
        errors = [one for one in (*self._sent.values(), *self._waiting) if _is_error(one)]
        self._waiting = deque(errors[: self._limit])
        self._states.clear()
        self._sent.clear()
        self._go_back()
        return len(errors) - len(self._waiting)

    def _go_back(self) -> None:
        self.done = self._queued = self._taken = self._safe
        self._lately.clear()
        self._owed = 0
        self._keeps_up, self._states_wait = False, True
        self._notify()

    def _queue(self, publication: Publication) -> None:
        self._waiting.append(publication)
        self._queued = publication.position

    def _notify(self) -> None:
        """Wake who waits for what is now so."""
        lacks = not (self._keeps_up or self._left or self._waiting or self._owed)
        some = bool(self._waiting or (self._states and not self._states_wait))
        through = self._keeps_up or self._left
        idle = through and not (self._waiting or self._states or self._sent)
        for event, holds in ((self._some, some), (self._lacks, lacks), (self._all_sent, idle)):
            (event.set if holds else event.clear)()


def _is_error(publication: Publication) -> bool:
    return not publication.retain and not publication.position
