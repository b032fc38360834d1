"""What happened, in a line each: for a log as it is, below the live table folded to fit."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clients.messages import Back, Heard, Lost
from clients.rows import GAP, colour, duration, shorten
from stream.events import Ended, Quality, Started, Status

CLOCK, DEVICE = 8, 20  # widths


class Line(NamedTuple):
    """Something that happened, and to which device, if to one."""

    clock: str
    device: str
    what: Text

    @property
    def text(self) -> Text:
        """The whole in one line, however long."""
        return Text.assemble((self.clock, "dim"), f"  {self.device:<{DEVICE}} ", self.what)

    @property
    def plain(self) -> str:
        """The same without colours."""
        return self.text.plain


def describe(message: Heard) -> Line | None:
    """Put an event into a line; None for what is no event."""
    if isinstance(message, Started):
        change = Text.assemble(
            (message.previous, colour(message.previous)),
            " → ",
            (message.activity, colour(message.activity)),
            f"  {message.confidence:.0%}",
        )
        return _line(message.device, change, message.time)
    if isinstance(message, Ended) and message.id.endswith("/close/ended"):
        ended = f"{message.activity} ended with the session after {duration(message.duration_s)}"
        return _line(message.device, Text(ended), message.time)
    if isinstance(message, Quality) and message.advice:
        return _line(message.device, Text(message.advice, "red"))
    if isinstance(message, Status):
        return _line(message.device, Text(message.status, "dim"))
    if isinstance(message, Lost | Back):
        return _line("", _connection(message), message.time)
    return None


def _connection(message: Lost | Back) -> Text:
    if isinstance(message, Lost):
        return Text(f"connection to {message.address} lost, reconnecting", "bold red")
    return Text(f"connected to {message.address} again", "green")


def _line(device: str, what: Text, time: datetime | None = None) -> Line:
    return Line(time.astimezone().strftime("%H:%M:%S") if time else "", device, what)


def line_table(lines: Sequence[Line], console: Console, width: int, height: int) -> Table:
    """Show as many of the newest lines as fit, folded, into `height`; the newest is last."""
    names = min(max((len(line.device) for line in lines), default=0), DEVICE)
    room = max(width - CLOCK - names - 2 * GAP, 10)
    shown: list[Line] = []
    for line in reversed(lines):
        height -= len(line.what.wrap(console, room))
        if height < 0:
            break
        shown.insert(0, line)
    table = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    table.add_column(width=CLOCK, style="dim")
    table.add_column(width=names, no_wrap=True)
    table.add_column(max_width=room)
    for line in shown:
        table.add_row(line.clock, shorten(line.device, names), line.what)
    return table
