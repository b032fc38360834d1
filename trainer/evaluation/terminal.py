"""What an evaluation shows in the terminal: a few columns that fit 80 characters."""

from collections.abc import Sequence

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from trainer.evaluation.comparison import named, number, percent
from trainer.evaluation.results import Group, Result

# Titles, and the characters that what stands below them takes.
COLUMNS = {
    "recordings": 11,
    "accuracy": 8,
    "worst person": 13,
    "macro-F1": 8,
    "error": 5,
    "lost": 6,
    "unsure": 6,
    "delay": 5,
    "false/h": 7,
}
LEGEND = (
    "error: of the probabilities. lost: of the six, to Unknown. unsure: of what is none of the "
    "six. delay: median, in s."
)


def tables(results: Sequence[Result]) -> RenderableType:
    """Return a table for each recipe and protocol, one below the other, with a legend."""
    found: list[RenderableType] = []
    for result in results:
        title = f"{result.protocol}, {named(result)}"
        found += [Text(f"\n{title}", style="bold"), _table(result), Text(_made_up(result))]
    return Stack(*found, Text(f"\n{LEGEND}", style="dim"))


def _made_up(result: Result) -> str:
    """Say how much of each kind is unsure, or that it is not known."""
    kinds = [f"{kind.word} {kind.unsure:.0%}" for kind in result.made_up]
    return f"made up, unsure: {', '.join(kinds) or '-'}"


def _table(result: Result) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for at, (title, width) in enumerate(COLUMNS.items()):
        table.add_column(title, justify="right" if at else "left", min_width=width, no_wrap=True)
    for group in result.groups:
        table.add_row(*_cells(group))
    return table


def _cells(group: Group) -> list[str]:
    score, delays = group.score, group.delays
    person, share = score.known.worst
    # Who it is stands in the row of the data set.
    whose = "" if score.group == "all" else f" ({person.rpartition('/')[2]})"
    return [
        score.group,
        f"{score.accuracy:.3f}",
        f"{share:.3f}{whose}",
        f"{score.macro_f1:.3f}",
        f"{score.reliability.error:.3f}",
        percent(group.unknown.lost),
        percent(group.unknown.unsure),
        number(delays.median_s if delays else None),
        number(delays.false_per_hour if delays else None),
    ]
