"""The recipe `pocket`: many phones, any way round in a pocket, the network that reads hops.

It trains twice: without the people of `people.TEST`, to measure, and on everyone, to ship.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.artifact import TrainingSet
from stream.config import Signal
from trainer import gather, plots, report
from trainer.answers import Answers
from trainer.errors import DataError
from trainer.fit import History, Schedule, fit
from trainer.manifest import Origin, Proof, checksums, write_artifact
from trainer.networks import hop_bilstm
from trainer.options import Options
from trainer.people import is_test
from trainer.progress import Step, epochs_bar, say
from trainer.recipes import Predict
from trainer.recordings import ACTIVITIES, FORMATS, Recording, locate
from trainer.runtime import prepare
from trainer.scores import Score, scores
from trainer.windows import Examples, by_number, examples

RECIPE = "pocket"
QUICK_EXAMPLES = 128
PROOFS = 512  # windows on which graph and model are compared
STORY = report.Story(
    what="A small convolution stack reads each hop of 40 samples once; a bidirectional LSTM reads "
    "the five hops of a window. Trained on windows that are turned, tilted, scaled, warped, "
    "thinned and roughened at random, so that it knows a phone any way round in a pocket, and a "
    "slow one.",
    measured="By subject: these people were left out of the model that was measured. The model "
    "that ships has the same recipe and seed and was then trained on everyone below, so no figure "
    "here is its own. F1 counts the activities that a data set holds.",
    command="gaitway train --recipe pocket",
    limits=(
        "Six activities of a phone in a trouser pocket, by few people. Whatever else someone does "
        "gets one of the six names too, often with confidence.",
        "Sitting and standing differ by the phone's angle alone and are the most often confused.",
        "WISDM 2019 labels stairs as one activity; they were left out.",
        "The probabilities are not calibrated.",
    ),
)


Found = dict[str, list[Recording]]
Keras = Any  # Keras is untyped


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """How the model did that was trained without the test people."""

    groups: list[Score]
    history: History
    seconds: float  # of its training

    def metrics(self) -> dict[str, float]:
        """Return the figures flat; those of the split model begin with `split_`."""
        flat = {"seconds_per_epoch": round(self.seconds / len(self.history["loss"]), 2)}
        for group in self.groups:
            flat |= group.metrics("split")
        return flat


def train(options: Options) -> None:
    """Run the recipe; `options.out` gets the artifact, its card, plots and `metrics.json`."""
    schedule = Schedule(epochs=options.epochs or (1 if options.quick else 12), seed=options.seed)
    found = dict(load(options))
    everyone = examples((item for items in found.values() for item in items), Signal()).labelled()
    if options.quick:
        everyone = _thinned(everyone)
    measured = measure(everyone, schedule)
    model, _ = fitted("ship", everyone, schedule)
    write(options, found, everyone, measured, model)


def load(options: Options) -> Iterator[tuple[str, list[Recording]]]:
    """Yield each data set that is found, what it has of the six, without those held out."""
    for name, items in gather.load(options.data):
        yield name, [item for item in items if np.isin(item.labels, ACTIVITIES).any()]


def measure(everyone: Examples, schedule: Schedule) -> Measured:
    """Train without the test people and score their windows. Raises DataError if all are."""
    test = is_test(everyone.datasets, everyone.subjects)
    if test.all() or not test.any():
        people = ", ".join(_named(everyone))
        raise DataError(f"{people}: some must be among the test people of the recipe, some not")
    began = time.perf_counter()
    model, history = fitted("measure", everyone.where(~test), schedule)
    seconds = time.perf_counter() - began
    measured = everyone.where(test)
    answered = Answers.of(measured, answers(model, measured.xyz))
    return Measured(list(scores(answered)), history, seconds)


def fitted(title: str, part: Examples, schedule: Schedule) -> tuple[Keras, History]:
    """Train a fresh network on `part`, where one can watch it."""
    say(f"{title}: {len(part):,} windows of {len(_named(part))} people")
    with epochs_bar(title, schedule.epochs, schedule.steps(len(part))) as step:
        return trained(part, schedule, step)


def trained(part: Examples, schedule: Schedule, step: Step) -> tuple[Keras, History]:
    """Train a fresh network on `part`; call `step` after every batch."""
    prepare(schedule.seed)
    model = hop_bilstm(Signal(), len(ACTIVITIES))
    return model, fit(model, part, schedule, step)


def predictor(part: Examples, seed: int, epochs: int | None, step: Step) -> Predict:
    """Train on what `part` has of the six; return what answers for raw windows (n, time, 3)."""
    schedule = Schedule(seed=seed) if epochs is None else Schedule(epochs=epochs, seed=seed)
    model, _ = trained(part.labelled(), schedule, step)
    return partial(answers, model)


def answers(model: Keras, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the model's probabilities (n, classes)."""
    return np.asarray(model.predict(windows, batch_size=256, verbose=0), np.float32)


def write(
    options: Options, found: Found, everyone: Examples, measured: Measured, model: Keras
) -> None:
    """Write `model` as the artifact, with the figures and plots of the one that was measured."""
    test = is_test(everyone.datasets, everyone.subjects)
    sample = everyone.xyz[:: max(1, len(everyone) // PROOFS)]
    origin = Origin(
        recipe=RECIPE,
        trained_on=training_sets(options, found),
        split={"train": _named(everyone.where(~test)), "test": _named(everyone.where(test))},
        metrics=measured.metrics(),
    )
    proof = Proof(sample, answers(model, sample))
    manifest = write_artifact(options.out, model, proof, origin, Signal())
    report.write(options.out, manifest, measured.groups, STORY)
    draw(options.out, everyone, measured)


def draw(folder: Path, everyone: Examples, measured: Measured) -> None:
    """Plot the windows by activity, the measured model's training, and its confusions."""
    tally = np.bincount(everyone.labels, minlength=len(ACTIVITIES)).tolist()
    plots.counts(folder / "class_counts.png", "Windows by activity", ACTIVITIES, tally)
    plots.history(folder / "history.png", "The model that is measured", measured.history)
    for group in measured.groups:
        path = folder / f"confusion_{group.group}.png"
        plots.confusion(path, f"Unseen people, {group.group}", group, ACTIVITIES)


def training_sets(options: Options, found: Found) -> tuple[TrainingSet, ...]:
    """Describe what the model that ships was trained on."""
    return tuple(
        TrainingSet(
            name=name,
            subjects=tuple(by_number(item.subject for item in items)),
            records=sum(map(len, items)),
            files=checksums(locate(FORMATS[name].files, options.data, FORMATS[name].get)),
        )
        for name, items in found.items()
    )


def _named(part: Examples) -> tuple[str, ...]:
    people = part.people().items()
    return tuple(f"{name}/{subject}" for name, subjects in people for subject in subjects)


def _thinned(everyone: Examples) -> Examples:
    """Keep a few windows of everyone, evenly spread."""
    step = max(1, len(everyone) // QUICK_EXAMPLES)
    return everyone.where(np.arange(0, len(everyone), step))
