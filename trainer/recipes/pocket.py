"""The recipe `pocket`: many phones, any way round in a pocket, the network that reads hops.

It trains twice: without the people of `people.TEST`, to measure, and on everyone, to ship. Each
time two networks that a few of the people were kept from give the temperature.
"""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from stream.model.artifact import TrainingSet
from trainer import gather, plots, report
from trainer.checksums import checksums
from trainer.errors import DataError
from trainer.evaluation.answers import Answers
from trainer.evaluation.scores import Score, scores
from trainer.manifest import Origin, Proof, write_artifact
from trainer.options import Options
from trainer.people import is_test
from trainer.progress import Step, epochs_bar, say
from trainer.recipes import Predict
from trainer.recipes.calibration import temperature
from trainer.recipes.fit import History, Schedule, fit
from trainer.recipes.hop_bilstm import answering, hop_bilstm
from trainer.recordings import ACTIVITIES, FORMATS, Recording, locate
from trainer.runtime import prepare
from trainer.windows import Examples, by_number, examples

RECIPE = "pocket"
QUICK_EXAMPLES = 128
PROOFS = 512  # windows on which graph and model are compared
EPOCHS = 12
CALIBRATION = 8  # every eighth person of a data set is kept from a network for the temperature
FIRSTS = (3, 7)  # and they begin with this one: fewer people make a network less sure of itself
STORY = report.Story(
    what="A small convolution stack reads each hop of 40 samples once, as recorded and as if "
    "the phone stood upright; a bidirectional LSTM reads the five hops of a window. They say how "
    "somebody moves, or that they are still; that one sits or stands is told by gravity and by the "
    "power of one's sway in seven bands of frequency alone. Trained on windows that are turned, "
    "tilted, scaled, warped, thinned, roughened and rounded at random, and coloured as by a loose "
    "or a tight pocket, so that it knows a phone any way round in anybody's, and a slow one; and "
    "on movements that are none of the six, recorded and made up, which get low confidence. "
    "Confidence is calibrated by one temperature, found on people whom the networks that gave it "
    "did not know.",
    measured="By subject: these people were left out of the model that was measured. The model "
    "that ships has the same recipe and seed and was then trained on everyone below, so no figure "
    "here is its own. F1 counts the activities that a data set holds.",
    limits=(
        "Six activities of a phone in a trouser pocket, by few people.",
        "Sitting and standing differ by the phone's angle and a little sway, and are the most "
        "often confused, in phones that lie on their side.",
        "Whoever types or eats sits, and whoever brushes teeth stands: that is what it says.",
        "A phone that leans somewhere, quite still, looks like the pocket of somebody who sits.",
        "WISDM 2019 labels stairs as one activity; it counts as up or down, whichever fits.",
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
    schedule = Schedule(
        epochs=options.epochs or (1 if options.quick else EPOCHS), seed=options.seed
    )
    found = dict(gather.load(options.data))
    everyone = examples((item for items in found.values() for item in items), Signal())
    if options.quick:
        everyone = _thinned(everyone)
    measured = measure(everyone, schedule)
    model, _ = watched("ship", everyone, schedule)
    write(options, found, everyone, measured, model)


def measure(everyone: Examples, schedule: Schedule) -> Measured:
    """Train without the test people and score their windows. Raises DataError if all are."""
    test = is_test(everyone.datasets, everyone.subjects)
    if test.all() or not test.any():
        people = ", ".join(_named(everyone))
        raise DataError(f"{people}: some must be among the test people of the recipe, some not")
    began = time.perf_counter()
    model, history = watched("measure", everyone.where(~test), schedule)
    seconds = time.perf_counter() - began
    measured = everyone.where(test)
    answered = Answers.of(measured, answers(model, measured.xyz))
    return Measured(list(scores(answered)), history, seconds)


def watched(title: str, part: Examples, schedule: Schedule) -> tuple[Keras, History]:
    """Train and calibrate on `part`, where one can watch it."""
    say(f"{title}: {len(part):,} windows of {len(_named(part))} people")
    steps = schedule.steps(part)
    with epochs_bar(f"{title}, temperature", len(FIRSTS) * schedule.epochs, steps) as step:
        heat = found_temperature(part, schedule, step)
    with epochs_bar(title, schedule.epochs, steps) as step:
        network, history = trained(part, schedule, step)
    say(f"{title}: temperature {heat:.2f}")
    return answering(network, heat), history


def trained(part: Examples, schedule: Schedule, step: Step) -> tuple[Keras, History]:
    """Train a fresh network, windows to logits, on `part`; call `step` after every batch."""
    prepare(schedule.seed)
    network = hop_bilstm(Signal(), len(ACTIVITIES))
    return network, fit(network, part, schedule, step)


def found_temperature(part: Examples, schedule: Schedule, step: Step) -> float:
    """Find the temperature of networks that some people of `part` are kept from, of all of them.

    1 where there are too few people.
    """
    unseen, logits = [], []
    for first in FIRSTS:
        kept = kept_back(part, first)
        theirs = part.where(kept).labelled()
        if len(theirs) and len(part.where(~kept).labelled()):
            network, _ = trained(part.where(~kept), schedule, step)
            unseen.append(theirs)
            logits.append(answers(network, theirs.xyz))
    if not logits:
        return 1.0
    labels, datasets = (
        np.concatenate([getattr(those, name) for those in unseen])
        for name in ("labels", "datasets")
    )
    return temperature(np.concatenate(logits), labels, datasets)


def kept_back(part: Examples, first: int) -> NDArray[np.bool_]:
    """Return which windows (n,) are of every eighth person of their data set, from `first` on."""
    chosen = {
        f"{dataset}/{subject}"
        for dataset, subjects in part.people().items()
        for subject in subjects[first::CALIBRATION]
    }
    return np.isin(part.persons, sorted(chosen))


def predictor(part: Examples, seed: int, epochs: int | None, step: Step) -> Predict:
    """Train and calibrate on `part`; return what answers for raw windows (n, time, 3)."""
    schedule = Schedule(seed=seed, epochs=epochs or EPOCHS)
    heat = found_temperature(part, schedule, step)
    network, _ = trained(part, schedule, step)
    return partial(answers, answering(network, heat))


def answers(model: Keras, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what a network says of windows: logits (n, classes + 1), or probabilities."""
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
    report.write(options, manifest, measured.groups, STORY)
    draw(options.out, everyone, measured)


def draw(folder: Path, everyone: Examples, measured: Measured) -> None:
    """Plot the windows by activity, the measured model's training, and its confusions."""
    words, tally = np.unique(everyone.names, return_counts=True)
    plots.counts(folder / "class_counts.png", "Windows by word", words.tolist(), tally.tolist())
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
