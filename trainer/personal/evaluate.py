"""`gaitway evaluate-adapt`: adapting, measured on people whom no fold's model has seen."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from trainer.errors import DataError
from trainer.evaluation import cross
from trainer.evaluation.folds import folds
from trainer.evaluation.material import collect
from trainer.options import Protocol
from trainer.personal import fold_models
from trainer.personal.fit import PULL
from trainer.personal.measure import Person, Shares, everyone
from trainer.progress import console
from trainer.recipes import RECIPES

RECIPE = "pocket"
COLUMNS = ("recordings", "people", "mean", "worst person", "lost", "unsure")
LEGEND = (
    "Shares of windows, before → after. mean: right, of people. lost: to Unknown. unsure: of what "
    "is none of the six, told as Unknown or below 0.6."
)


@dataclass(frozen=True, slots=True)
class Settings:
    """`groups` is None to leave out person by person; `epochs` where the recipe has its own."""

    out: Path
    data: Path | None = None
    groups: int | None = None
    windows: int = 10
    pulls: tuple[float, ...] = (PULL,)
    seed: int = 0
    epochs: int | None = None
    jobs: int = 1
    quick: bool = False


def evaluate(settings: Settings) -> Path:
    """Train the folds that are missing, adapt for everybody, and return the written results.

    Raises DataError.
    """
    material = collect(settings.data, settings.quick)
    made = folds(material.everyone, Protocol.LOSO, settings.groups)
    name = f"{Protocol.LOSO}-{settings.groups}" if settings.groups else str(Protocol.LOSO)
    how = cross.Settings(settings.seed, settings.epochs)
    place = (settings.out / "quick" if settings.quick else settings.out) / name
    tasks = list(cross.tasks(material, (RECIPE, RECIPES[RECIPE]), made, how, place))
    graphs = fold_models.graphs(tasks, material, settings.jobs, f"{name} {RECIPE}")
    unseen = [material.everyone.where(fold.test) for fold in made]
    by_pull = {}
    for pull in settings.pulls:
        pairs = zip(graphs, unseen, strict=True)
        by_pull[pull] = list(everyone(pairs, settings.windows, pull))
        if not by_pull[pull]:
            raise DataError(f"nobody has {2 * settings.windows} windows of each of two activities")
        console.print(table(f"{name}, {settings.windows} windows, pull {pull:g}", by_pull[pull]))
    console.print(LEGEND, style="dim")
    return write(place, settings, by_pull)


def write(place: Path, settings: Settings, by_pull: dict[float, list[Person]]) -> Path:
    """Write everybody's figures, and those of the data sets, as ADAPT.md and adapt.json."""
    found = {
        "recipe": RECIPE,
        "windows": settings.windows,
        "seed": settings.seed,
        "pulls": {f"{pull:g}": [asdict(one) for one in those] for pull, those in by_pull.items()},
    }
    (place / "adapt.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    path = place / "ADAPT.md"
    path.write_text("\n".join(_card(settings, by_pull)) + "\n", encoding="utf-8")
    return path


def rows(people: Sequence[Person]) -> Iterator[tuple[str, ...]]:
    """Yield what COLUMNS name, for each data set."""
    for dataset in dict.fromkeys(person.dataset for person in people):
        those = [person for person in people if person.dataset == dataset]
        worst = min(those, key=lambda person: person.before.right)
        last = min(those, key=lambda person: person.after.right)
        yield (
            dataset,
            str(len(those)),
            _change(*(_mean(those, part, "right") for part in ("before", "after"))),
            f"{worst.subject} {worst.before.right:.3f} → {last.subject} {last.after.right:.3f}",
            _change(*(_mean(those, part, "lost") for part in ("before", "after"))),
            _change(*(_mean(those, part, "unsure") for part in ("before", "after"))),
        )


def lifted(people: Sequence[Person]) -> str:
    """Say what becomes of the person who is worst off without adapting."""
    worst = min(people, key=lambda person: person.before.right)
    fallen = sum(person.after.right < person.before.right for person in people)
    return (
        f"{worst.dataset} {worst.subject}, the worst off, goes from {worst.before.right:.3f} to "
        f"{worst.after.right:.3f}; {fallen} of {len(people)} people fall."
    )


def table(title: str, people: Sequence[Person]) -> Table:
    """Return the rows for the terminal."""
    made = Table(
        title=title,
        title_justify="left",
        caption=lifted(people),
        caption_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        header_style="dim",
    )
    for column in COLUMNS:
        made.add_column(column, no_wrap=True)
    for row in rows(people):
        made.add_row(*row)
    return made


def _card(settings: Settings, by_pull: dict[float, list[Person]]) -> Iterator[str]:
    groups = f" --groups {settings.groups}" if settings.groups else ""
    yield "# Adapting, measured\n"
    yield (
        f"Generated by `gaitway evaluate-adapt{groups}`. Models of `{RECIPE}` that have never seen "
        f"a person are adapted to {settings.windows} windows of each of their activities, half of "
        "them the first, half from the middle; what shares no sample with these is scored.\n"
    )
    for pull, people in by_pull.items():
        yield f"## Pull {pull:g}\n"
        yield f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"
        yield from (f"| {' | '.join(row)} |" for row in rows(people))
        yield f"\n{lifted(people)}\n"
    yield LEGEND


def _mean(people: Sequence[Person], part: str, share: str) -> float | None:
    parts: list[Shares] = [getattr(person, part) for person in people]
    found = [value for one in parts if (value := getattr(one, share)) is not None]
    return float(np.mean(found)) if found else None


def _change(before: float | None, after: float | None) -> str:
    return "-" if before is None or after is None else f"{before:.3f} → {after:.3f}"
