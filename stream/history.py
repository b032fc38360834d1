"""The last predictions and activity events, in order of publication, bounded."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

from stream.events import ActivityEvent, Prediction


class Entry(NamedTuple):
    """A published message, encoded once."""

    position: int
    id: str
    device: str
    session: str
    type: str
    time: datetime
    text: str


class Query(NamedTuple):
    """Which entries are asked for; what is empty means all."""

    devices: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    session: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    pattern: str = ""  # of the devices that may be seen

    def sees(self, device: str) -> bool:
        """Whether this device is asked for, and may be seen."""
        asked = not self.devices or device in self.devices
        return asked and (not self.pattern or fnmatchcase(device, self.pattern))

    def matches(self, entry: Entry) -> bool:
        """Whether `entry` is asked for."""
        return (
            self.sees(entry.device)
            and (not self.types or entry.type in self.types)
            and (self.session is None or entry.session == self.session)
            and (self.start is None or entry.time >= self.start)
            and (self.end is None or entry.time < self.end)
        )


class History:
    """Keeps the newest `limit` entries; `pruned` counts those that are gone."""

    def __init__(self, limit: int) -> None:
        self.pruned = 0
        self._limit = limit
        self._entries: deque[Entry] = deque()
        self._positions: dict[str, int] = {}

    def add(self, message: Prediction | ActivityEvent, text: str) -> None:
        """Keep a published message."""
        kind = "prediction" if isinstance(message, Prediction) else "activity"
        if len(self._entries) >= self._limit:
            gone = self._entries.popleft()
            if self._positions.get(gone.id) == gone.position:  # and not of a later namesake
                del self._positions[gone.id]
            self.pruned += 1
        position = self.pruned + len(self._entries)
        self._positions[message.id] = position
        self._entries.append(
            Entry(position, message.id, message.device, message.session, kind, message.time, text)
        )

    def knows(self, id_: str) -> bool:
        """Whether the entry `id_` is still kept."""
        return id_ in self._positions

    def after(self, id_: str | None, query: Query) -> Iterator[Entry]:
        """Yield the entries after `id_` (all, where it is None or not kept) that match."""
        first = -1 if id_ is None else self._positions.get(id_, -1)
        skip = max(first + 1 - self.pruned, 0)
        for index in range(skip, len(self._entries)):
            if query.matches(self._entries[index]):
                yield self._entries[index]
