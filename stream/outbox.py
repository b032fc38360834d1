"""What waits to be sent to one peer: bounded, so that a slow peer costs only itself."""

import asyncio
from collections import OrderedDict, deque

import msgspec

from stream.events import Message, Missed

AT_ONCE = 16  # waveforms taken at once: what happens meanwhile goes before the others


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

    def __len__(self) -> int:
        return len(self._waiting)

    def send(self, message: Message) -> None:
        """Queue a message for this peer alone."""
        self.put(encode(message))

    def put(self, text: str) -> None:
        """Queue an encoded message."""
        if len(self._waiting) >= self._limit:
            self._waiting.popleft()
            self._missed += 1
            self.dropped += 1
        self._waiting.append(text)
        self._some.set()

    def put_newest(self, key: str, text: str) -> int:
        """Queue a waveform in place of an older one of the same key; return how many are lost."""
        lost = int(key in self._newest)
        if not lost and len(self._newest) >= self._limit:
            self._newest.popitem(last=False)
            lost = 1
        self._newest[key] = text
        self._some.set()
        return lost

    def close(self, code: int, reason: str) -> None:
        """Send what waits, without waveforms, then end the connection."""
        self.closed = self.closed or ClosedError(code, reason)
        self._newest.clear()
        self._some.set()

    async def take(self) -> list[str]:
        """Wait for messages and take them all, of waveforms some.

        Raises ClosedError after the last one.
        """
        await self._some.wait()
        if not self._waiting and self.closed:
            raise self.closed
        taken = list(self._waiting)
        self._waiting.clear()
        few = min(len(self._newest), AT_ONCE)
        taken += [self._newest.popitem(last=False)[1] for _ in range(few)]
        if not self.closed and not self._newest:
            self._some.clear()
        if self._missed:
            taken.insert(0, encode(Missed(count=self._missed)))
            self._missed = 0
        return taken


def encode(message: Message) -> str:
    """Write a message as JSON text."""
    return msgspec.json.encode(message).decode()
