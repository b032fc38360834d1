"""The live view: devices and what they do, and what happened last. Knows no connection."""

import re
from collections import deque
from datetime import datetime

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from clients.messages import Message
from stream.events import UNKNOWN, Ended, Prediction, Quality, Started, State, Status

EVENTS = 8  # shown below the table
_NUMBER = re.compile(r"\d+(\.\d+)?")
COLOURS = {
    "Walking": "green",
    "Jogging": "bright_red",
    "Upstairs": "bright_magenta",
    "Downstairs": "bright_blue",
    "Sitting": "yellow",
    "Standing": "cyan",
}


class Row:
    """A device as it stands."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.activity = UNKNOWN
        self.confidence: float | None = None
        self.since: datetime | None = None
        self.now: datetime | None = None  # of the newest message: a replay's clock runs fast
        self.poor = False
        self.advice = ""
        self.online = False

    @property
    def duration_s(self) -> float | None:
        """How long the activity has lasted, by the device's own time."""
        if self.since is None or self.now is None:
            return None
        return max((self.now - self.since).total_seconds(), 0.0)


class Board:
    """Takes messages; rich can print it at any time."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.events: deque[Text] = deque(maxlen=EVENTS)

    def take(self, message: Message) -> Text | None:
        """Change what is shown; return the event in a line, if it is one and is news."""
        device = getattr(message, "device", None)
        if device is None:
            return None
        row = self.rows.setdefault(device, Row(device))
        known = row.advice
        _change(row, message)
        text = describe(message)
        if text is None or (isinstance(message, Quality) and _alike(known, message.advice)):
            return None
        self.events.append(text)
        return text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = max((options.height or console.height) - EVENTS - 6, 3)
        yield Group(self._table(room), Text(), *self.events)

    def _table(self, room: int) -> Table:
        table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("device", no_wrap=True, max_width=24)
        table.add_column("activity", no_wrap=True, min_width=11)
        table.add_column("confidence", no_wrap=True, min_width=16)
        table.add_column("for", justify="right", no_wrap=True, min_width=9)
        table.add_column("signal", no_wrap=True, min_width=7)
        ordered = sorted(self.rows.values(), key=lambda row: (not row.online, row.device))
        for row in ordered[:room]:
            table.add_row(*_cells(row), style="" if row.online else "dim")
        if len(ordered) > room:
            table.add_row(f"… {len(ordered) - room} more", style="dim")
        if not ordered:
            table.add_row("no device yet", style="dim")
        return table


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


def _cells(row: Row) -> tuple[str | Text | Table, ...]:
    signal = Text("good", "green") if not row.poor else Text(row.advice or "poor", "red")
    return (
        row.device,
        Text(row.activity, _colour(row.activity)),
        _bar(row.confidence, _colour(row.activity)) if row.confidence is not None else "",
        _duration(row.duration_s),
        signal if row.online else "offline",
    )


def _bar(confidence: float, colour: str) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    bar = ProgressBar(
        total=1, completed=confidence, width=10, complete_style=colour, finished_style=colour
    )
    grid.add_row(bar, f"{confidence:4.0%}")
    return grid


def _colour(activity: str) -> str:
    return COLOURS.get(activity, "default")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:2} s" if minutes else f"{rest} s"


def describe(message: Message) -> Text | None:
    """Put an event into one line; None for what is no event."""
    if isinstance(message, Started):
        change = Text.assemble(
            (message.previous, _colour(message.previous)),
            " → ",
            (message.activity, _colour(message.activity)),
            f"  {message.confidence:.0%}",
        )
        return _line(message.device, change, message.time)
    if isinstance(message, Ended) and message.id.endswith("/close/ended"):
        ended = f"{message.activity} ended with the session after {_duration(message.duration_s)}"
        return _line(message.device, Text(ended), message.time)
    if isinstance(message, Quality) and message.advice:
        return _line(message.device, Text(message.advice, "red"))
    if isinstance(message, Status):
        return _line(message.device, Text(message.status, "dim"))
    return None


def _line(device: str, what: Text, time: datetime | None = None) -> Text:
    clock = time.astimezone().strftime("%H:%M:%S") if time else " " * 8
    return Text.assemble((clock, "dim"), f"  {device:<20} ", what)
