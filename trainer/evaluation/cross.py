"""Trains and asks a recipe fold by fold, in parallel, and picks up where it was stopped.

It knows recipes by their interface alone, and measures nothing.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from trainer.evaluation import made_up
from trainer.evaluation.answers import Answers, Stored, load, save
from trainer.evaluation.folds import Fold
from trainer.evaluation.material import Material
from trainer.progress import counted_bar
from trainer.recipes import Predict, Recipe
from trainer.windows import Examples


@dataclass(frozen=True, slots=True)
class Settings:
    """`epochs` is None where the recipe is to use its own."""

    seed: int = 0
    epochs: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One fold of one recipe: where its answers belong, and what they depend on."""

    recipe: Recipe
    fold: Fold
    settings: Settings
    path: Path
    fingerprint: str

    def stored(self) -> Stored | None:
        """Return the answers if they are there and depend on the same things."""
        found, wanted = load(self.path), (self.fingerprint, made_up.checksum())
        return found if found and (found.fingerprint, found.made_up_as) == wanted else None


def tasks(
    material: Material,
    recipe: tuple[str, Recipe],
    folds: Sequence[Fold],
    settings: Settings,
    folder: Path,
) -> Iterator[Task]:
    """Yield a task a fold for the recipe with this name; answers belong into `folder`/`name`."""
    name, how = recipe
    common = {
        "recipe": name,
        "seed": settings.seed,
        "epochs": settings.epochs,
        "recordings": material.checksum,
        "code": code_of(how),
    }
    for fold in folds:
        trained_on = hashlib.sha256(np.packbits(fold.train).tobytes()).hexdigest()
        fingerprint = json.dumps(common | {"trained_on": trained_on}, sort_keys=True)
        yield Task(how, fold, settings, folder / name / f"{fold.name}.npz", fingerprint)


def code_of(recipe: Recipe) -> str:
    """Return the SHA-256 of the source of the modules that decide what the recipe answers."""
    digest = hashlib.sha256()
    for module in recipe.code:
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        digest.update(Path(spec.origin).read_bytes())
    return digest.hexdigest()


def run(wanted: Sequence[Task], material: Material, jobs: int, title: str) -> None:
    """Train and ask every task that has no answers yet, `jobs` at a time, under a bar."""
    missing = [task for task in wanted if task.stored() is None]
    workers = min(jobs, max(len(missing), 1))
    # Unordered: the bar advances as folds come, and no result waits for a slower one.
    done = Parallel(n_jobs=workers, return_as="generator_unordered")(
        delayed(answer)(task, material.everyone, material.stream_windows, alone=workers == 1)
        for task in missing
    )
    with counted_bar(title, len(wanted), len(wanted) - len(missing)) as advance:
        for name in done:
            advance(name)


def answer(task: Task, everyone: Examples, stream_windows: Examples, alone: bool) -> str:
    """Train on one side of a fold, ask about the other, store the answers; return its name."""
    if not alone:  # as many processes as cores: each takes one
        os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    settings = task.settings
    part = everyone.where(task.fold.train)
    predict = task.recipe.fitted(part, settings.seed, settings.epochs, unwatched)
    measured = everyone.where(task.fold.test)
    theirs = stream_windows.where(np.isin(stream_windows.persons, np.unique(measured.persons)))
    stored = Stored(
        fingerprint=task.fingerprint,
        windows=asked(predict, measured),
        streams=asked(predict, theirs),
        made_up=asked(predict, made_up.examples()),
        made_up_as=made_up.checksum(),
    )
    save(task.path, stored)
    return task.fold.name


def asked(predict: Predict, part: Examples) -> Answers:
    """Return the probabilities of windows, with what the windows are."""
    answered = predict(part.xyz) if len(part) else np.empty((0, 6), np.float32)
    return Answers.of(part, np.asarray(answered, np.float32))


def unwatched(_loss: float, _accuracy: float) -> None:
    """Show nothing: a worker's batches are not seen; the bar counts folds."""
