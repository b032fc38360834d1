"""Recipes as the evaluation sees them: a name, and a function from examples to predictions.

Nothing heavy is imported until a recipe trains.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.progress import Step
from trainer.windows import Examples

# Raw windows (n, time, 3) float32 in m/s² to probabilities (n, 6).
Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class Fitted(Protocol):
    """Trains on one side of a fold, all words included; takes of it what it can use.

    `epochs` is None where the recipe is to use its own. `step` may be called after every batch.
    """

    def __call__(self, part: Examples, seed: int, epochs: int | None, step: Step) -> Predict:
        """Return what answers for windows that were not in `part`."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train, and the modules whose code decides what comes out of it."""

    fitted: Fitted
    code: tuple[str, ...]


def late(module: str, part: Examples, seed: int, epochs: int | None, step: Step) -> Predict:
    """Import `module`, TensorFlow with it, and train by its `predictor`."""
    predict: Predict = import_module(module).predictor(part, seed, epochs, step)
    return predict


def code(*modules: str) -> tuple[str, ...]:
    """Name the modules of this package, and the meaning of words, that a recipe's answers hang on.

    When one of them changes, stored answers are computed anew.
    """
    return (*(f"trainer.recipes.{module}" for module in modules), "trainer.labels")


RECIPES: dict[str, Recipe] = {
    "pocket": Recipe(
        partial(late, "trainer.recipes.pocket"),
        code(
            "pocket",
            "hop_bilstm",
            "upright",
            "stillness",
            "fit",
            "batches",
            "augment",
            "coupling",
            "others",
            "calibration",
        ),
    ),
    "wisdm-bilstm": Recipe(partial(late, "trainer.recipes.classic"), code("classic", "networks")),
}
