"""What a person sees while training runs: lines of text, and bars over batches or folds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

console = Console(stderr=True, highlight=False)

Advance = Callable[[str], None]  # what has just been done
Step = Callable[[float, float], None]  # loss and accuracy so far in this epoch


def say(text: str) -> None:
    """Show one line, or several."""
    console.print(text, markup=False)


@contextmanager
def epochs_bar(title: str, epochs: int, steps: int) -> Iterator[Step]:
    """Show a bar over `epochs` of `steps` batches; call what it yields after every batch."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("epoch {task.fields[epoch]}/" + str(epochs)),
        TextColumn("loss {task.fields[loss]:.3f} accuracy {task.fields[accuracy]:.3f}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=epochs * steps, epoch=0, loss=0.0, accuracy=0.0)

        def step(loss: float, accuracy: float) -> None:
            done = int(progress.tasks[task].completed)
            epoch = done // steps + 1
            progress.update(task, advance=1, epoch=epoch, loss=loss, accuracy=accuracy)

        yield step


@contextmanager
def counted_bar(title: str, count: int, done: int) -> Iterator[Advance]:
    """Show a bar over `count` things of which `done` are done; call what it yields after each."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=count, completed=done, last="")

        def advance(name: str) -> None:
            progress.update(task, advance=1, last=name)

        yield advance
