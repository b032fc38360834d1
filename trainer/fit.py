"""The training loop of recipes that augment: balanced, seeded batches with a cosine decay."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.augment import augment
from trainer.progress import Step
from trainer.runtime import keras
from trainer.windows import Examples


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to learn."""

    epochs: int = 12
    batch: int = 64
    peak_rate: float = 2e-3
    label_smoothing: float = 0.05
    seed: int = 0

    def steps(self, count: int) -> int:
        """Return the batches of one epoch over `count` examples."""
        return max(1, math.ceil(count / self.batch))


History = dict[str, list[float]]


def fit(model: Any, examples: Examples, schedule: Schedule, step: Step) -> History:  # noqa: ANN401
    """Train `model` in place on augmented examples; return loss and accuracy of each epoch.

    Each example must be a single one of the six activities.
    """
    rng = np.random.default_rng(schedule.seed)
    steps = schedule.steps(len(examples))
    _compile(model, schedule, steps)
    classes = model.output_shape[-1]
    targets = np.eye(classes, dtype=np.float32)[examples.labels]
    chances = draw_chances(examples.labels)
    history: History = {"loss": [], "accuracy": []}
    for _ in range(schedule.epochs):
        totals = {"loss": 0.0, "accuracy": 0.0}
        for done in range(1, steps + 1):
            drawn = rng.choice(len(examples), schedule.batch, p=chances)
            windows = augment(examples.xyz[drawn], rng)  # (batch, time, 3)
            logs = model.train_on_batch(windows, targets[drawn], return_dict=True)
            totals = {name: total + float(logs[name]) for name, total in totals.items()}
            step(totals["loss"] / done, totals["accuracy"] / done)
        for name, total in totals.items():
            history[name].append(total / steps)
    return history


def draw_chances(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each example's chance (n,), so that classes come by the root of their frequency."""
    counts = np.bincount(labels)
    weight = 1 / np.sqrt(counts[labels])
    chances: NDArray[np.float64] = weight / weight.sum()
    return chances


def _compile(model: Any, schedule: Schedule, steps: int) -> None:  # noqa: ANN401
    rate = keras.optimizers.schedules.CosineDecay(schedule.peak_rate, steps * schedule.epochs)
    model.compile(
        keras.optimizers.AdamW(rate),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=schedule.label_smoothing),
        metrics=["accuracy"],
    )
