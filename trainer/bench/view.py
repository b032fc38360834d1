"""`gaitway bench model` in the terminal: a progress bar, then the table."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from trainer.bench.report import Report
from trainer.bench.timing import Speed, Spread
from trainer.progress import console as progress_console

HEAD = ("batch", "model", "runtime", "windows/s", "quartiles", "ms/batch", "ratio")
TEXTS = {"model", "runtime"}  # columns that stand to the left


class Bar:
    """Shows what is done now, then how many turns are left."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def say(self, text: str, total: int | None = None) -> None:
        """Show what begins, of `total` steps where they are known."""
        self._progress.update(self._task, description=text, total=total)
        self._progress.refresh()

    def step(self) -> None:
        """Show that one more step is done."""
        self._progress.advance(self._task)
        self._progress.refresh()


@contextmanager
def bar() -> Iterator[Bar]:
    """Show a bar, where there is a terminal, until the block is left."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=progress_console,
        # A thread that draws would take its time from what is measured.
        auto_refresh=False,
        transient=True,
        disable=not progress_console.is_terminal,
    ) as progress:
        yield Bar(progress)


def show(report: Report, console: Console) -> None:
    """Print the machine, the table, and how to read it."""
    on, threads = report.machine, _counted(report.threads, "thread")
    versions = ", ".join(f"{name} {number}" for name, number in on.versions.items())
    console.print(f"{on.cpu}, {_counted(on.cores, 'core')}; {threads}", markup=False)
    console.print(f"python {on.python}, {versions}", markup=False, style="dim")
    console.print(_table(report.speeds))
    note = f"medians of {_counted(report.rounds, 'round')}, and the quartiles around them"
    if any(speed.ratio is not None for speed in report.speeds):
        note += "; ratio: to the classic in ONNX Runtime"
    console.print(note, style="dim")


def _table(speeds: list[Speed]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in HEAD:
        table.add_column(name, justify="left" if name in TEXTS else "right", no_wrap=True)
    before = speeds[0].batch
    for speed in speeds:
        if speed.batch != before:
            table.add_row()
        before = speed.batch
        table.add_row(*map(escape, _cells(speed)))
    return table


def _cells(speed: Speed) -> list[str]:
    rate: Spread = speed.windows_per_s
    return [
        str(speed.batch),
        speed.model.partition("@")[0],
        speed.runtime,
        f"{rate.median:,.0f}",
        f"{rate.low:,.0f}–{rate.high:,.0f}",  # noqa: RUF001  a range
        f"{speed.ms_per_batch.median:,.2f}",
        "" if speed.ratio is None else f"{speed.ratio:.2f}",
    ]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
