"""What one commit of the journal writes."""

from typing import NamedTuple

from stream.journal.entries import Entry


class SessionRow(NamedTuple):
    """Where a session stood after the input numbered `covers`."""

    opened: int  # the number of its first input
    channel: str
    device: str
    session: str
    covers: int
    state: bytes


class DeviceRow(NamedTuple):
    """What is known of a device."""

    name: str
    utc: float
    state: bytes


class Group:
    """What one commit writes."""

    def __init__(self, first: int) -> None:
        self.first = first  # number of the first input
        self.inputs: list[tuple[int, bytes]] = []  # session (`opened`), record
        self.sessions: dict[int, SessionRow | None] = {}  # by `opened`; None: it is over
        self.devices: dict[str, DeviceRow] = {}
        self.entries: list[Entry] = []
        self.marks: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self.inputs or self.sessions or self.entries or self.devices or self.marks)
