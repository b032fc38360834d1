"""What waits to be published at a broker, and what it has not acked yet. Knows no connection."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple

LINGER_S = 5.0  # a broker that is killed forgets what it acked since it last saved


class Publication(NamedTuple):
    """One message for the broker."""

    topic: str
    payload: bytes | str
    retain: bool
    position: int = 0  # in the history; 0: it is not there
    session: str = ""  # that a state is of, where the topic is the device's


class Publications:
    """A queue that survives a lost connection: at most `limit` events, and the newest state.

    Retained messages are state: of a topic and session only the newest counts, and after a
    reconnect all of it is queued anew, so none of it is kept. The others are events: when there
    are too many, the oldest goes. Those of the history are sent again if the broker acked them
    within `LINGER_S` before the connection was lost; who has them knows them by their ids.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._next = 0
        self._states: OrderedDict[tuple[str, str], Publication] = OrderedDict()
        self._waiting: OrderedDict[int, Publication] = OrderedDict()  # not sent yet
        self._sent: OrderedDict[int, Publication] = OrderedDict()  # not acked yet
        self._lately: deque[tuple[float, int, Publication]] = deque()  # acked, and when
        self._open: OrderedDict[int, int] = OrderedDict()  # positions by number, not acked
        self._newest = 0  # position
        self.done = 0  # the history's newest position up to which the broker has all
        self._some = asyncio.Event()
        self._all_sent = asyncio.Event()

    def put(self, publication: Publication) -> int:
        """Queue a message; return how many older ones were dropped for it."""
        if publication.retain:
            self._states[publication.topic, publication.session] = publication
        else:
            self._waiting[self._next] = publication
            if publication.position:
                self._open[self._next] = self._newest = publication.position
            self._next += 1
        self._all_sent.clear()
        self._some.set()
        if len(self._waiting) <= self._limit:
            return 0
        self._settle(self._waiting.popitem(last=False)[0])
        return 1

    async def take(self) -> tuple[int, Publication]:
        """Wait for the next message to send, and its number for `acked`.

        What happened comes before what is, so that neither surprises.
        """
        await self._some.wait()
        if self._waiting:
            number, publication = self._waiting.popitem(last=False)
        else:
            number, publication = self._next, self._states.popitem(last=False)[1]
            self._next += 1
        if not self._waiting and not self._states:
            self._some.clear()
        self._sent[number] = publication
        return number, publication

    def _settle(self, number: int) -> bool:
        """Note that the broker has a message, or never will; say whether `done` moved."""
        if self._open.pop(number, None) is None:
            return False
        before = self.done
        self.done = next(iter(self._open.values()), self._newest + 1) - 1
        return self.done > before

    def acked(self, number: int) -> bool:
        """Forget a message that the broker has; say whether `done` moved."""
        publication = self._sent.pop(number, None)
        if publication is not None and publication.position:
            self._lately.append((self._clock(), number, publication))
            self.settled()
        if not self._waiting and not self._states and not self._sent:
            self._all_sent.set()
        return self._settle(number)

    def settled(self) -> None:
        """Forget what the broker has for good; call it too when the connection is lost."""
        before = self._clock() - LINGER_S
        while self._lately and (len(self._lately) > self._limit or self._lately[0][0] < before):
            self._lately.popleft()

    async def all_sent(self) -> None:
        """Wait until the broker has everything that was queued."""
        await self._all_sent.wait()

    def reconnected(self) -> int:
        """Queue what a lost connection may not have delivered before all else; forget state.

        Returns how many of the oldest were dropped, where all of it is more than the limit.
        """
        again = [(number, sent) for number, sent in self._sent.items() if not sent.retain]
        room = max(self._limit - len(again) - len(self._waiting), 0)
        lately = [(number, sent) for _, number, sent in self._lately]
        lately = lately[max(len(lately) - room, 0) :]
        self._waiting = OrderedDict([*lately, *again, *self._waiting.items()])
        self._lately.clear()
        self._sent.clear()
        self._states.clear()
        dropped = max(len(self._waiting) - self._limit, 0)
        for _ in range(dropped):
            self._settle(self._waiting.popitem(last=False)[0])
        if self._waiting:
            self._some.set()
        else:
            self._some.clear()
        return dropped
