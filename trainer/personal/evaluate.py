"""`gaitway evaluate-adapt`: adapting, measured on people whom no fold's model has seen."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from trainer.evaluation import cross
from trainer.evaluation.folds import Fold, folds
from trainer.evaluation.material import Material
from trainer.options import Protocol
from trainer.personal import fold_models
from trainer.personal.fit import PULL
from trainer.personal.graph import Graph
from trainer.personal.material import Recorded, check, collect
from trainer.personal.measure import Person, Shares, everyone
from trainer.progress import console
from trainer.recipes import RECIPES

RECIPE = "pocket"
QUICK_FOLDS = 2
COLUMNS = ("data set", "people", "scored on", "mean", "worst person", "lost", "unsure")
LEGEND = (
    "Shares of windows, before → after. scored on: other recordings of an activity than were "
    "adapted to, or, where there are none, other windows of the same recording. mean: right, of "
    "people. lost: to Unknown. unsure: of what is none of the six, told as Unknown or below 0.6."
)


@dataclass(frozen=True, slots=True)
class Settings:
    """`groups` is None to leave out person by person; `epochs` where the recipe has its own.

    `quick` is a trial: two folds of a few people, one epoch.
    """

    out: Path
    data: Path | None = None
    groups: int | None = None
    windows: int = 10
    pulls: tuple[float, ...] = (PULL,)
    seed: int = 0
    epochs: int | None = None
    jobs: int = 1
    quick: bool = False

    @property
    def name(self) -> str:
        """What is left out, in titles and as the folder's name."""
        return Protocol.LOSO.named(self.groups)

    @property
    def place(self) -> Path:
        """Where everything goes; trials have their own place, and so never replace results."""
        return (self.out / "quick" if self.quick else self.out) / self.name


def evaluate(settings: Settings) -> Path:
    """Train the folds that are missing, adapt for everybody, and return the written results.

    Raises DataError, before anything is trained, where nobody has enough windows.
    """
    material, recorded = collect(settings.data, settings.windows, settings.quick)
    made = folds(material.everyone, Protocol.LOSO, settings.groups)
    made = made[:QUICK_FOLDS] if settings.quick else made
    unseen = [recorded.where(fold.test) for fold in made]
    check(any(part.enough(settings.windows) for part in unseen), settings.windows)
    graphs = trained(settings, material, made)
    by_pull = dict(measured(settings, graphs, unseen))
    console.print(LEGEND, style="dim")
    return write(settings.place, settings, by_pull)


def trained(settings: Settings, material: Material, made: Sequence[Fold]) -> list[Graph]:
    """Return the model of each fold as a graph."""
    epochs = 1 if settings.quick and settings.epochs is None else settings.epochs
    how = cross.Settings(settings.seed, epochs)
    tasks = list(cross.tasks(material, (RECIPE, RECIPES[RECIPE]), made, how, settings.place))
    return fold_models.graphs(tasks, material, settings.jobs, f"{settings.name} {RECIPE}")


def measured(
    settings: Settings, graphs: Sequence[Graph], unseen: Sequence[Recorded]
) -> Iterator[tuple[float, list[Person]]]:
    """Yield everybody's figures for each pull, and show them."""
    for pull in settings.pulls:
        people = list(everyone(zip(graphs, unseen, strict=True), settings.windows, pull))
        title = f"{settings.name}, {settings.windows} windows, pull {pull:g}"
        console.print(table(title, people))
        yield pull, people


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
            scored_on(those),
            _change(*(_mean(those, part, "right") for part in ("before", "after"))),
            f"{worst.subject} {worst.before.right:.3f} → {last.subject} {last.after.right:.3f}",
            _change(*(_mean(those, part, "lost") for part in ("before", "after"))),
            _change(*(_mean(those, part, "unsure") for part in ("before", "after"))),
        )


def scored_on(people: Sequence[Person]) -> str:
    """Say whether what was scored is from recordings that were adapted to, by windows."""
    same = sum(person.same_recording for person in people)
    scored = sum(person.scored for person in people)
    if same in (0, scored):
        return "same recording" if same else "other recordings"
    return f"same recording: {same / scored:.0%}"


def lifted(people: Sequence[Person]) -> str:
    """Say what becomes of the person who is worst off without adapting."""
    worst = min(people, key=lambda person: person.before.right)
    fallen = sum(person.after.right < person.before.right for person in people)
    return (
        f"{worst.dataset} {worst.subject}, the worst off, goes from {worst.before.right:.3f} to "
        f"{worst.after.right:.3f}; {fallen} of {len(people)} people fall."
    )


def table(title: str, people: Sequence[Person]) -> Table:
    """Return the rows for the terminal, what is after below what was before: 80 columns do."""
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
        made.add_row(*(cell.replace("→ ", "→\n") for cell in row))
    return made


def _card(settings: Settings, by_pull: dict[float, list[Person]]) -> Iterator[str]:
    groups = f" --groups {settings.groups}" if settings.groups else ""
    yield "# Adapting, measured\n"
    yield (
        f"Generated by `gaitway evaluate-adapt{groups}`. Models of `{RECIPE}` that have never seen "
        f"a person are adapted to {settings.windows} windows of each of their activities, half of "
        "them the first of a recording, half from its middle. Other recordings of the activity are "
        "scored; where a person has none, it is what shares no sample with these windows: the same "
        "recording, and so the same pocket and place, which flatters.\n"
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
