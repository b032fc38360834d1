"""The live view: devices and what they do, and what happened last. Knows no connection."""

import re
from collections import deque

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from clients.lines import Line, describe, line_table
from clients.messages import Back, Heard, Lost, Message
from clients.rows import Row, device_table
from stream.events import UNKNOWN, Ended, Prediction, Quality, Started, State, Status

EVENTS = 8  # lines below the table
_NUMBER = re.compile(r"\d+(\.\d+)?")


class Board:
    """Takes messages; rich can print it at any time."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.events: deque[Line] = deque(maxlen=EVENTS)
        self.lost = False

    def take(self, message: Heard) -> Line | None:
        """Change what is shown; return the event in a line, if it is one and is news."""
        known = ""
        if isinstance(message, Lost | Back):
            self._connection(message)
        else:
            device = getattr(message, "device", None)
            if device is None:
                return None
            row = self.rows.setdefault(device, Row(device))
            known = row.advice
            _change(row, message)
        line = describe(message)
        if line is None or (isinstance(message, Quality) and _alike(known, message.advice)):
            return None
        self.events.append(line)
        return line

    def _connection(self, message: Lost | Back) -> None:
        self.lost = isinstance(message, Lost)
        if not self.lost:  # the server, another one perhaps, now tells of those that it knows
            for row in self.rows.values():
                row.online = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = max((options.height or console.height) - EVENTS - 6, 3)
        rows = sorted(self.rows.values(), key=lambda row: (not row.online, row.device))
        more = max(len(rows) - room, 0)
        yield device_table(rows[:room], more, options.max_width, live=not self.lost)
        yield Text()
        yield line_table(self.events, console, options.max_width, EVENTS)


def _alike(advice: str, other: str) -> bool:
    """Whether two sentences differ by their numbers alone."""
    return _NUMBER.sub("", advice) == _NUMBER.sub("", other)


def _change(row: Row, message: Message) -> None:
    if isinstance(message, State):
        row.activity, row.confidence, row.since = (
            message.activity,
            message.confidence,
            message.since,
        )
        row.online, row.poor = message.status == "online", message.quality == "poor"
        row.advice = row.advice if row.poor else ""
    elif isinstance(message, Started):
        row.activity, row.since, row.confidence = message.activity, message.time, message.confidence
    elif isinstance(message, Ended):
        row.activity, row.since, row.confidence = UNKNOWN, None, None
    elif isinstance(message, Prediction):
        row.now = message.time
        row.confidence = message.probabilities.get(row.activity, message.confidence)
    elif isinstance(message, Quality):
        row.poor, row.advice = message.state == "poor", message.advice
    elif isinstance(message, Status):
        row.online = message.status == "online"
