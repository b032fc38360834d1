"""The model of each fold of an evaluation as a graph in a file, trained where it is missing."""

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from joblib import Parallel, delayed

from trainer.errors import DataError
from trainer.evaluation.cross import Task, unwatched
from trainer.evaluation.material import Material
from trainer.personal.graph import Graph
from trainer.progress import counted_bar
from trainer.recipes import Predict
from trainer.windows import Examples

PROOFS = 256  # windows on which graph and model are compared
FINGERPRINT = "fingerprint"  # key among the graph's own notes


def graphs(wanted: Sequence[Task], material: Material, jobs: int, title: str) -> list[Graph]:
    """Train what is missing, `jobs` at a time, under a bar; return a graph for each task."""
    missing = [task for task in wanted if not is_there(task)]
    workers = min(jobs, max(len(missing), 1))
    done = Parallel(n_jobs=workers, return_as="generator_unordered")(
        delayed(train)(task, material.everyone, alone=workers == 1) for task in missing
    )
    with counted_bar(title, len(wanted), len(wanted) - len(missing)) as advance:
        for name in done:
            advance(name)
    return [Graph(place(task).read_bytes(), str(place(task))) for task in wanted]


def place(task: Task) -> Path:
    """Return where a fold's graph belongs: beside its answers."""
    return task.path.with_suffix(".onnx")


def is_there(task: Task) -> bool:
    """Say whether the graph is there and was trained by the same recipe on the same windows."""
    if not place(task).exists():
        return False
    notes = onnx.load(place(task)).metadata_props
    return any(note.key == FINGERPRINT and note.value == task.fingerprint for note in notes)


def train(task: Task, everyone: Examples, alone: bool) -> str:
    """Train on one side of a fold, write the graph, and return the fold's name.

    Raises ExportError if the graph answers differently from what was trained.
    """
    if not alone:  # as many processes as cores: each takes one
        os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    part, settings = everyone.where(task.fold.train), task.settings
    predict = task.recipe.fitted(part, settings.seed, settings.epochs, unwatched)
    sample = part.xyz[:: max(1, len(part) // PROOFS)]
    path, half = place(task), place(task).with_suffix(f".{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # TensorFlow is there, or the recipe could not have trained.
        export = import_module("trainer.export").export
        export(model_of(predict), half, sample, np.asarray(predict(sample)))
        model = onnx.load(half)
        model.metadata_props.add(key=FINGERPRINT, value=task.fingerprint)
        half.write_bytes(model.SerializeToString(deterministic=True))
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    return task.fold.name


def model_of(predict: Predict) -> Any:  # noqa: ANN401  Keras is untyped
    """Return the Keras model that a recipe's predictor was made of, as in `partial(ask, model)`."""
    for held in getattr(predict, "args", ()):
        if hasattr(held, "export"):
            return held
    raise DataError("the recipe's predictor holds no Keras model, so it has no graph to adapt")
