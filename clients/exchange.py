"""What a phone still has to say and what it has heard: the state that it shares with its link.

Everything happens on one event loop, so nothing here is locked.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from clients.errors import UnreachableError
from clients.messages import Message
from clients.outbox import Outbox
from stream.events import Ack, Ended, Prediction, Started, Welcome
from stream.wire import Frame
from stream.wire.incoming import Label

REMEMBERED = 1_000  # ids by which a message that comes again is known


class Exchange:
    """An outbox, an inbox, and a bell that wakes whoever waits for one of them to change."""

    def __init__(self, max_unacked: int, max_inbox: int) -> None:
        self.outbox = Outbox(max_unacked)
        self.inbox: deque[Message] = deque(maxlen=max_inbox)
        self.missed = 0  # messages dropped, oldest first, because nobody read the inbox
        self.welcome: Welcome | None = None
        self.session: str | None = None
        self.last_id: str | None = None  # of the newest prediction or event
        self.acks = 0
        self.opened = False
        self.closing = False
        self.failure: BaseException | None = None
        self._seen: dict[str, None] = {}
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """Wake everyone who waits, to look again."""
        self._bell.set()
        self._bell = asyncio.Event()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for a condition; raises what made the link give up."""
        while not true():
            if self.failure is not None:
                raise self.failure
            await self._bell.wait()

    async def until_soon(self, true: Callable[[], bool], patience_s: float | None) -> None:
        """Wait likewise, but raise UnreachableError where no ack comes for `patience_s`."""
        acks = -1
        while acks != self.acks:
            acks = self.acks
            try:
                async with asyncio.timeout(patience_s):
                    await self.until(true)
                return
            except TimeoutError:
                continue
        raise UnreachableError(
            f"{len(self.outbox)} frames are not acked after {patience_s:g} s: does the server run?"
        )

    def open(self) -> None:
        """Say that a first connection stands."""
        self.opened = True
        self.ring()

    def fail(self, failure: BaseException) -> None:
        """Tell everyone who waits that the link has given up."""
        self.failure = failure
        self.ring()

    async def next_frame(self) -> Frame | Label | None:
        """Wait for a frame or label to send; None once the phone closes and everything is acked."""
        await self.until(lambda: self.outbox.waiting or self.done)
        return self.outbox.take() if self.outbox.waiting else None

    @property
    def done(self) -> bool:
        """Whether the phone closes and everything is acked."""
        return self.closing and not self.outbox

    def greet(self, welcome: Welcome) -> None:
        """Go on where the server says that the session stands."""
        kept = len(self.outbox)
        known = self.outbox.resume(welcome.next_seq)
        self.acks += len(self.outbox) < kept
        if not known or welcome.session != self.session:
            self._seen.clear()  # windows are counted anew, so ids come again
            self.last_id = None
        self.session, self.welcome = welcome.session, welcome
        self._keep(welcome)
        self.open()

    def hear(self, message: Message) -> None:
        """Take a message: acks empty the outbox, what came before is dropped."""
        if isinstance(message, Ack):
            self.outbox.ack(message.seq)
            self.acks += 1
        if isinstance(message, Prediction | Started | Ended) and not self._is_new(message.id):
            return
        self._keep(message)
        self.ring()

    def _is_new(self, key: str) -> bool:
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self.last_id = key
        return True

    def _keep(self, message: Message) -> None:
        self.missed += len(self.inbox) == self.inbox.maxlen
        self.inbox.append(message)
