"""`gaitway replay` in the terminal: a bar for each person, and a table at the end."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from clients.people import load_people
from clients.replay import Replay, replay
from clients.score import Score


async def play(
    path: Path, users: Sequence[str], seconds: float | None, options: Replay
) -> list[Score]:
    """Load, play and print; raises ReplayError, DataError or ClientError."""
    note = Console(stderr=True)
    with note.status(f"reading {path}"):
        tracks = await asyncio.to_thread(load_people, path, users)
    tracks = [track.first(seconds) for track in tracks] if seconds else tracks
    with _progress(note) as progress:
        bars = {t.name: progress.add_task(t.name, total=t.duration_s) for t in tracks}
        scores = await replay(
            tracks, options, lambda track, at: progress.update(bars[track.name], completed=at)
        )
        for track in tracks:
            progress.update(bars[track.name], completed=track.duration_s)
    console = Console()
    console.print(_table(scores))
    for score in filter(lambda score: score.first_error, scores):
        console.print(f"{score.name}: {score.first_error}", style="red", markup=False)
    return scores


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def _table(scores: list[Score]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("person")
    for name in ("samples", "frames", "predictions", "right"):
        table.add_column(name, justify="right")
    table.add_column("activities")
    for score in scores:
        table.add_row(
            score.name,
            f"{score.samples:,}",
            f"{score.frames:,}",
            f"{score.predictions:,}{f' (+{score.missed} missed)' if score.missed else ''}",
            "" if score.accuracy is None else f"{score.accuracy:.1%} of {score.labelled:,}",
            ", ".join(
                f"{name} {count / score.predictions:.0%}"
                for name, count in score.activities.most_common()
            ),
        )
    return table
