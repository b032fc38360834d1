"""The training loop of `pocket`: endless batches, partial labels, a cosine decay."""

import math
from dataclasses import dataclass
from itertools import islice
from typing import Any

from trainer.progress import Step
from trainer.recipes.batches import batches
from trainer.runtime import keras
from trainer.windows import Examples

ops = keras.ops
Keras = Any  # Keras is untyped
IMPOSSIBLE = -1e9  # a logarithm of no chance at all

History = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to learn; an epoch is as many batches as windows of known kind fill."""

    epochs: int = 12
    batch: int = 64
    peak_rate: float = 2e-3
    label_smoothing: float = 0.05
    seed: int = 0

    def steps(self, part: Examples) -> int:
        """Return the batches of one epoch over `part`."""
        return max(1, math.ceil(len(part.known()) / self.batch))


def fit(model: Keras, part: Examples, schedule: Schedule, step: Step) -> History:
    """Train `model`, windows to logits, in place; return loss and accuracy of each epoch."""
    steps = schedule.steps(part)
    rate = keras.optimizers.schedules.CosineDecay(schedule.peak_rate, steps * schedule.epochs)
    loss = partial_crossentropy(schedule.label_smoothing)
    model.compile(keras.optimizers.AdamW(rate), loss=loss, metrics=[accuracy])
    endless = batches(part, schedule.batch, schedule.seed)
    history: History = {"loss": [], "accuracy": []}
    for _ in range(schedule.epochs):
        totals = {"loss": 0.0, "accuracy": 0.0}
        for done, (windows, may_be) in enumerate(islice(endless, steps), start=1):
            logs = model.train_on_batch(windows, may_be, return_dict=True)
            totals = {name: total + float(logs[name]) for name, total in totals.items()}
            step(totals["loss"] / done, totals["accuracy"] / done)
        for name, total in totals.items():
            history[name].append(total / steps)
    return history


def partial_crossentropy(smoothing: float) -> Keras:
    """Return the loss of logits (n, k) where `may_be` (n, k) is 1 for all that a window may be.

    -log of the sum of what may be, which for a single label is the cross-entropy; a share of
    `smoothing` goes to all classes alike.
    """

    def loss(may_be: Keras, logits: Keras) -> Keras:
        log_p = ops.log_softmax(logits)
        right = ops.logsumexp(ops.where(may_be > 0, log_p, IMPOSSIBLE), axis=-1)
        return -((1 - smoothing) * right + smoothing * ops.mean(log_p, axis=-1))

    return loss


def accuracy(may_be: Keras, logits: Keras) -> Keras:
    """Return for each window (n,) whether the likeliest class is one that it may be."""
    return ops.take_along_axis(may_be, ops.argmax(logits, axis=-1)[:, None], axis=-1)[:, 0]
