"""What waits to be sent to one peer: bounded, so that a slow peer costs only itself."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from stream.events import Message, Missed

REST_S = 5.0  # after a close, for what waits to be sent


class ClosedError(Exception):
    """The connection is over; `code` is the close code that the peer gets, if any."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class Outbox:
    """A queue of encoded messages; when full, the oldest goes and is counted as missed.

    Waveforms wait beside it: of each, only the newest, and behind everything else.
    """

    def __init__(self, limit: int) -> None:
        self.dropped = 0
        self.closed: ClosedError | None = None
        self._limit = limit
        self._missed = 0
        self._waiting: deque[str] = deque()
        self._newest: OrderedDict[str, str] = OrderedDict()  # waveforms by key, longest here first
        self._some = asyncio.Event()
        self._end: asyncio.Timeout | None = None  # of what `until_over` holds

    def __len__(self) -> int:
        return len(self._waiting)

    def send(self, message: Message) -> None:
        """Queue a message for this peer alone."""
        self.put(encode(message))

    def put(self, text: str) -> None:
        """Queue an encoded message; after a close it is dropped."""
        if self.closed:
            self.dropped += 1
            return
        if len(self._waiting) >= self._limit:
            self._waiting.popleft()
            self._missed += 1
            self.dropped += 1
        self._waiting.append(text)
        self._some.set()

    def put_newest(self, key: str, text: str) -> int:
        """Queue a waveform in place of an older one of the same key; return how many are lost."""
        if self.closed:
            return 1
        lost = int(key in self._newest)
        if not lost and len(self._newest) >= self._limit:
            self._newest.popitem(last=False)
            lost = 1
        self._newest[key] = text
        self._some.set()
        return lost

    def close(self, code: int, reason: str) -> None:
        """Queue nothing more; send what waits, without waveforms, then end the connection."""
        if self.closed is None:
            self.closed = ClosedError(code, reason)
            self._newest.clear()
            self._some.set()
            self._end_within(REST_S)

    def cut(self, code: int, reason: str) -> int:
        """End the connection without what waits; return how many messages are lost."""
        self.close(code, reason)
        self._end_within(0)
        return self.drop()

    def drop(self) -> int:
        """Give up what waits; return how many messages that were."""
        lost = len(self._waiting)
        self._waiting.clear()
        self._missed = 0
        self.dropped += lost
        return lost

    async def take(self) -> str:
        """Wait for the next message. Raises ClosedError after the last one."""
        await self._some.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return encode(Missed(count=missed))
        if self._waiting:
            text = self._waiting.popleft()
        elif self.closed:
            raise self.closed
        else:
            _, text = self._newest.popitem(last=False)
        if not (self._waiting or self._newest or self.closed):
            self._some.clear()
        return text

    @asynccontextmanager
    async def until_over(self) -> AsyncIterator[None]:
        """Let what is inside go on for REST_S after a close, and not at all after a cut.

        Raises ClosedError where that ends it.
        """
        try:
            async with asyncio.timeout(REST_S if self.closed else None) as self._end:
                yield
        except TimeoutError:
            if self.closed and self._end and self._end.expired():
                raise self.closed from None
            raise
        finally:
            self._end = None

    def _end_within(self, seconds: float) -> None:
        if self._end is not None and not self._end.expired():
            self._end.reschedule(asyncio.get_running_loop().time() + seconds)


def encode(message: Message) -> str:
    """Write a message as JSON text."""
    return msgspec.json.encode(message).decode()
