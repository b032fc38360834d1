"""What the history holds: published predictions and activity events, and who asks for which."""

from datetime import datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

PREDICTION, ACTIVITY = "prediction", "activity"


class Entry(NamedTuple):
    """A published message, encoded once."""

    position: int  # in order of publication, over all devices
    id: str
    device: str
    session: str
    opened: int  # tells sessions of one name apart: the number of their first input
    type: str
    published: float  # s since 1970
    time: float  # of what happened, in s since 1970
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
            and (self.start is None or entry.time >= self.start.timestamp())
            and (self.end is None or entry.time < self.end.timestamp())
        )
