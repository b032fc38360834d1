"""Devices as they stand, and the table of them, made to fit the width of the terminal."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from stream.events import UNKNOWN

GAP = 2  # between columns
ACTIVITY, PERCENT, DURATION, SIGNAL = 10, 4, 9, 7  # widths of what stands in the columns
BARS = (10, 5, 0)  # the longest for which there is room
ADVICE = 20  # with less room for it, `poor` says more
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


class Widths(NamedTuple):
    """What the columns that give way get; `confidence` has a bar or not."""

    device: int
    bar: int
    signal: int


def device_table(rows: Sequence[Row], more: int, width: int, *, live: bool) -> Table:
    """Show `rows`, and that there are so many more; what is not `live` is dim."""
    widths = _fit(rows, width)
    table = _head(widths)
    for row in rows:
        cells = (
            shorten(row.device, widths.device),
            Text(row.activity, colour(row.activity)),
            _confidence(row, widths.bar),
            duration(row.duration_s),
            _signal(row, widths.signal) if live else "",
        )
        table.add_row(*cells, style="" if row.online and live else "dim")
    if more:
        table.add_row(f"… {more} more", style="dim")
    if not rows:
        table.add_row("no device yet", style="dim")
    return table


def _fit(rows: Sequence[Row], width: int) -> Widths:
    """Shorten advice first, then the bar, then names."""
    names = max((len(row.device) for row in rows), default=0)
    durations = max((len(duration(row.duration_s)) for row in rows), default=0)
    room = width - ACTIVITY - max(durations, DURATION) - SIGNAL - 4 * GAP
    bar = next((bar for bar in BARS if names + _confidence_width(bar) <= room), 0)
    room -= _confidence_width(bar)
    names = max(min(names, room), len("device"))
    return Widths(names, bar, SIGNAL + max(room - names, 0))


def _head(widths: Widths) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, GAP, 0, 0))
    table.add_column("device", no_wrap=True, min_width=widths.device)
    table.add_column("activity", no_wrap=True, min_width=ACTIVITY)
    confidence = "confidence" if widths.bar else "sure"
    table.add_column(confidence, no_wrap=True, min_width=_confidence_width(widths.bar))
    table.add_column("for", justify="right", no_wrap=True, min_width=DURATION)
    table.add_column("signal", no_wrap=True, min_width=SIGNAL, max_width=widths.signal)
    return table


def _confidence_width(bar: int) -> int:
    return bar + 1 + PERCENT if bar else PERCENT


def _confidence(row: Row, bar: int) -> str | Table:
    if row.confidence is None:
        return ""
    percent = f"{row.confidence:{PERCENT}.0%}"
    if not bar:
        return percent
    style = colour(row.activity)
    grid = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
    grid.add_row(
        ProgressBar(
            total=1,
            completed=row.confidence,
            width=bar,
            complete_style=style,
            finished_style=style,
        ),
        percent,
    )
    return grid


def _signal(row: Row, width: int) -> str | Text:
    if not row.online:
        return "offline"
    if not row.poor:
        return Text("good", "green")
    return Text(row.advice if row.advice and width >= ADVICE else "poor", "red")


def colour(activity: str) -> str:
    """Return the style of an activity's name."""
    return COLOURS.get(activity, "default")


def duration(seconds: float | None) -> str:
    """Put a time into words of two units at most; nothing for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left:2} min"
    return f"{minutes} min {rest:2} s" if minutes else f"{rest} s"


def shorten(name: str, width: int) -> str:
    """Leave out the middle of a name that is too long: devices differ at either end."""
    if len(name) <= width:
        return name
    end = (width - 1) // 2
    return f"{name[: width - 1 - end]}…{name[len(name) - end :]}"
