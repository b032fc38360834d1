"""`gaitway evaluate`: recipes by a protocol, fold by fold, then every figure about them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer import cross
from trainer.answers import Answers, Stored
from trainer.errors import DataError
from trainer.folds import folds
from trainer.material import Material, collect
from trainer.options import Protocol
from trainer.progress import say
from trainer.recipes import RECIPES
from trainer.scores import scores

QUICK_FOLDS = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asks for; `epochs` is None where recipes are to use their own."""

    protocol: Protocol
    recipes: tuple[str, ...]
    out: Path
    data: Path | None = None
    groups: int | None = None
    seed: int = 0
    epochs: int | None = None
    jobs: int = 1
    quick: bool = False

    @property
    def folder(self) -> str:
        """The protocol's folder in `out`; trials have their own, and so never replace results."""
        grouped = f"{self.protocol}-{self.groups}" if self.groups else str(self.protocol)
        return f"quick-{grouped}" if self.quick else grouped


def evaluate(plan: Plan) -> None:
    """Train and ask what has no answers yet, and measure. Raises DataError."""
    if plan.groups is not None and plan.protocol is not Protocol.LOSO:
        raise DataError(f"--groups {plan.groups}: only --protocol loso has groups of people")
    material = collect(plan.data, plan.quick)
    for name in plan.recipes:
        stored = answered(plan, name, material)
        parts = Answers.joined([one.windows for one in stored]).labelled()
        for score in scores(parts, np.argmax(parts.probabilities, axis=1)):
            say(
                f"{plan.folder} {name} {score.group}: accuracy {score.accuracy:.4f}, macro-F1 "
                f"{score.macro_f1:.4f}, worst {score.worst_subject} {score.worst_accuracy:.3f}"
            )


def answered(plan: Plan, name: str, material: Material) -> list[Stored]:
    """Return the answers of every fold of one recipe, trained now where they are not there."""
    made = folds(material.everyone, plan.protocol, plan.groups)
    epochs = plan.epochs or (1 if plan.quick else None)
    settings = cross.Settings(plan.seed, epochs)
    place = plan.out / plan.folder
    wanted = list(
        cross.tasks(
            material,
            (name, RECIPES[name]),
            made[:QUICK_FOLDS] if plan.quick else made,
            settings,
            place,
        )
    )
    cross.run(material, wanted, plan.jobs, f"{plan.folder} {name}")
    return [stored for task in wanted if (stored := task.stored())]
