"""What the hub finds out goes to everyone who listens, and into the history."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from stream.events import Ended, Message, Missed, Prediction, Started, Waveform
from stream.journal.entries import Query
from stream.journal.history import History
from stream.metrics import Metrics
from stream.outbox import Outbox, encode

Sink = Callable[[str, Message, str | None], None]  # device, message, channel
WAVEFORM = "waveform"
TYPES = frozenset({"activity", "prediction", "status", "quality", WAVEFORM})


class Listener:
    """An outbox and what belongs into it."""

    def __init__(self, outbox: Outbox, query: Query, channel: str | None) -> None:
        self.outbox = outbox
        self.query = query
        self._channel = channel

    def wants(self, kind: str, session: str | None, channel: str | None) -> bool:
        """Whether a message of this type, session and channel is asked for."""
        query = self.query
        if kind not in query.types or (query.session is not None and query.session != session):
            return False
        return self._channel is None or self._channel == channel


class Audience:
    """Listeners by the devices that they asked for, and may see."""

    def __init__(self) -> None:
        self._everything: set[Listener] = set()  # or all that they may see
        self._by_device: defaultdict[str, set[Listener]] = defaultdict(set)

    def __bool__(self) -> bool:
        return bool(self._everything or self._by_device)

    def of(self, device: str) -> tuple[Listener, ...]:
        """Return those who asked for this device, or for all, and may see it."""
        asked = (*self._by_device.get(device, ()), *self._everything)
        return tuple(listener for listener in asked if listener.query.sees(device))

    def add(self, listener: Listener) -> None:
        """Let a listener in."""
        for device in listener.query.devices:
            self._by_device[device].add(listener)
        if not listener.query.devices:
            self._everything.add(listener)

    def discard(self, listener: Listener) -> None:
        """Let a listener go."""
        self._everything.discard(listener)
        for device in listener.query.devices:
            self._by_device[device].discard(listener)
            if not self._by_device[device]:
                del self._by_device[device]


class Publisher:
    """Knows all listeners; a slow one loses its own messages and delays nobody."""

    def __init__(self, history: History, metrics: Metrics) -> None:
        self.history = history
        self._metrics = metrics
        self._sinks: list[Sink] = []
        self._listeners = Audience()
        self._watchers = Audience()  # those of them who asked for waveforms

    def add_sink(self, sink: Sink) -> None:
        """Call `sink` with every message."""
        self._sinks.append(sink)

    def publish(
        self, device: str, message: Message, channel: str | None = None, opened: int = 0
    ) -> None:
        """Tell everyone who listens to `device`.

        `channel` is the session's, where it has one, and `opened` its number in the journal.
        """
        text = encode(message)
        if isinstance(message, Prediction | Started | Ended):
            self.history.add(message, text, opened)
        kind = str(message.__struct_config__.tag)
        session = getattr(message, "session", None)
        for listener in self._listeners.of(device):
            if listener.wants(kind, session, channel):
                self._put(listener, text)
        self.tell(device, message, channel)

    def tell(self, device: str, message: Message, channel: str | None) -> None:
        """Give a message to the sinks alone."""
        for sink in self._sinks:
            sink(device, message, channel)

    def watched(self, device: str) -> bool:
        """Whether anybody asked for the device's waveform."""
        return bool(self._watchers) and bool(self._watchers.of(device))

    def show(self, message: Waveform) -> None:
        """Tell those who watch; a waveform goes nowhere else, and is not kept."""
        text = encode(message)
        for listener in self._watchers.of(message.device):
            lost = listener.outbox.put_newest(f"{message.device}/{message.session}", text)
            self._metrics.unseen.inc(lost)

    def _put(self, listener: Listener, text: str) -> None:
        dropped = listener.outbox.dropped
        listener.outbox.put(text)
        self._metrics.missed.inc(listener.outbox.dropped - dropped)

    @contextmanager
    def listening(
        self, outbox: Outbox, query: Query, channel: str | None = None
    ) -> Iterator[Listener]:
        """Put what `query` asks for into `outbox` for as long as the context lasts.

        Where a channel is given, only what its sessions bring: another one's may be namesakes.
        """
        listener = Listener(outbox, query, channel)
        audiences = [self._listeners] + [self._watchers] * (WAVEFORM in query.types)
        for audience in audiences:
            audience.add(listener)
        self._metrics.listeners.inc()
        try:
            yield listener
        finally:
            self._metrics.listeners.dec()
            for audience in audiences:
                audience.discard(listener)

    async def missed_since(self, id_: str, query: Query, until: int) -> AsyncIterator[list[str]]:
        """Yield, encoded, what came after `id_`; first how much is lost, if it is not kept.

        The empty id stands for the beginning, `until` is the position where listening began.
        """
        place = await self.history.place(id_, query)
        if place is None:
            place = await self.history.pruned(query)
            yield [encode(Missed(count=1))]  # or more: what is not kept can't be counted
        async for page in self.history.pages(place, query, until):
            yield [entry.text for entry in page]
