"""`gaitway evaluate`: recipes by a protocol, fold by fold, then every figure about them."""

from dataclasses import dataclass
from pathlib import Path

from trainer.errors import DataError
from trainer.evaluation import card as evaluation_card
from trainer.evaluation import cross, terminal
from trainer.evaluation.folds import folds
from trainer.evaluation.material import Material, collect
from trainer.evaluation.results import results
from trainer.options import Protocol
from trainer.progress import console
from trainer.recipes import RECIPES

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
    def name(self) -> str:
        """The protocol's folder, as in `loso` and `loso-6`."""
        return self.protocol.named(self.groups)

    @property
    def folder(self) -> Path:
        """Where everything goes; trials have their own place, and so never replace results."""
        return self.out / "quick" if self.quick else self.out


def evaluate(plan: Plan) -> Path:
    """Train and ask what has no answers yet, measure all that is there, and return the card.

    Raises DataError.
    """
    if plan.groups is not None and plan.protocol is not Protocol.LOSO:
        raise DataError(f"--groups {plan.groups}: goes with --protocol loso alone; leave it out")
    material = collect(plan.data, plan.quick)
    for name in plan.recipes:
        cross.run(wanted(plan, name, material), material, plan.jobs, f"{plan.name} {name}")
    found = list(results(plan.folder, material))
    evaluation_card.write(plan.folder, found)
    for result in found:
        if result.protocol == plan.name and result.recipe in plan.recipes:
            evaluation_card.draw(plan.folder, result)
    console.print(terminal.tables(found))
    return plan.folder / "MODEL_CARD.md"


def wanted(plan: Plan, name: str, material: Material) -> list[cross.Task]:
    """Return a task for every fold of one recipe."""
    made = folds(material.everyone, plan.protocol, plan.groups)
    if plan.quick:
        made = made[:QUICK_FOLDS]
    epochs = 1 if plan.quick and plan.epochs is None else plan.epochs
    settings = cross.Settings(plan.seed, epochs)
    place = plan.folder / plan.name
    return list(cross.tasks(material, (name, RECIPES[name]), made, settings, place))
