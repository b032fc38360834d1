"""The recipe `wisdm-bilstm`: the classic tutorial on WISDM v1.1, step by step.

It goes by the order of the records in the file and leaves their timestamps alone, as the tutorial
does; `pocket` is the recipe for real phones.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import RobustScaler

from stream.config import Signal
from stream.model.artifact import TrainingSet
from trainer import plots, report
from trainer.checksums import checksums
from trainer.errors import DataError
from trainer.evaluation.answers import Answers
from trainer.evaluation.scores import Score, score
from trainer.manifest import Origin, Proof, write_artifact
from trainer.options import Options
from trainer.progress import Step, epochs_bar, say
from trainer.recipes.networks import classic, with_scaler
from trainer.recipes.plain_windows import Part, part
from trainer.recordings import ACTIVITIES, LoadReport, locate
from trainer.recordings.wisdm_v1 import COMPLETE_RECORDS, FILES, GET, NAME, Table, load_table
from trainer.runtime import keras, prepare

RECIPE = "wisdm-bilstm"
LAST_TRAINING_USER = 30
PUBLISHED_WINDOWS = 22_454  # training windows of the complete file
TRIFLE = 10  # records in which copies of the complete file differ
EPOCHS, BATCH, VALIDATION = 20, 32, 0.1
QUICK_WINDOWS = 64
PROOFS = 512  # windows on which graph and model are compared
STORY = report.Story(
    what="The classic tutorial: one bidirectional LSTM over the 200 samples of a window, trained "
    "on WISDM v1.1 in the order of its records.",
    measured="By subject: users over 30 were never trained on, nor seen by the scaler.",
    limits=(
        "It knows one kind of phone, one way round in the front trouser pocket, and falls apart "
        "on others; use `pocket` for real phones.",
        "It takes every record as 1/20 s. Some users of WISDM v1.1 were recorded at about half "
        "that rate.",
        "The published 87.9 % belong to the complete file; see the number of records above.",
        "The probabilities are not calibrated.",
    ),
)

Keras = Any  # Keras is untyped
History = dict[str, list[float]]


def train(options: Options) -> None:
    """Run the recipe; `options.out` gets model, artifact, card, plots and `metrics.json`."""
    path = locate(FILES, options.data, GET)
    say(f"reads {path}")
    table, counts = load_table(path)
    say("\n".join(counts.lines()))
    explore(options.out, table)

    training, test = split(table)
    scaler = RobustScaler().fit(training.xyz.astype(np.float64))
    sides = [part(side, scaler, Signal()) for side in (training, test)]
    say(f"training {sides[0].scaled.shape}, test {sides[1].scaled.shape}")
    say(completeness(counts, len(sides[0].raw)))
    if options.quick:
        sides = [side.thinned(QUICK_WINDOWS) for side in sides]

    prepare(options.seed)
    model = classic(Signal().window, len(ACTIVITIES))
    history, seconds = fit(model, sides[0], options.epochs or (1 if options.quick else EPOCHS))
    result = evaluate(model, sides[1])

    metrics = result.metrics("test") | _last(history) | {"seconds_per_epoch": round(seconds, 2)}
    origin = Origin(RECIPE, (_training_set(path, training),), _people(training, test), metrics)
    on_raw = with_its_scaler(model, scaler)
    manifest = write_artifact(options.out, on_raw, proof(model, sides[1]), origin, Signal())
    report.write(options, manifest, [result], STORY)
    model.save(options.out / "model.keras")
    draw(options.out, history, result)


def explore(folder: Path, table: Table) -> None:
    """Plot the class counts, the records by user, and a sample of each activity."""
    folder.mkdir(parents=True, exist_ok=True)
    names, count = np.unique(table.activities, return_counts=True)
    plots.counts(folder / "class_counts.png", "Records by activity", names.tolist(), count.tolist())
    users, count = np.unique(table.users, return_counts=True)
    labels = [f"user {user}" for user in users]
    plots.counts(folder / "records_by_user.png", "Records by user", labels, count.tolist())
    first = {str(name): table.xyz[table.activities == name][: Signal().window] for name in names}
    plots.samples(folder / "activities.png", first)


def split(table: Table) -> tuple[Table, Table]:
    """Return the records of users up to 30, and those of the others; both must have some."""
    training = table.users <= LAST_TRAINING_USER
    if training.all() or not training.any():
        users = ", ".join(map(str, np.unique(table.users)))
        raise DataError(f"users {users}: some up to {LAST_TRAINING_USER} and some over are needed")
    return table.where(training), table.where(~training)


def completeness(counts: LoadReport, windows: int) -> str:
    """Say whether this is the publisher's complete file; if so, hold it against the shapes."""
    if abs(counts.found - COMPLETE_RECORDS) > TRIFLE:
        return (
            f"a part of WISDM v1.1, {counts.found:,} of {COMPLETE_RECORDS:,} records: it shows "
            "that the recipe runs, but not the published 87.9 %"
        )
    if windows != PUBLISHED_WINDOWS:
        return (
            f"WARNING: {windows} training windows, the complete file should give "
            f"{PUBLISHED_WINDOWS}; the figures can't be compared with the published 87.9 %"
        )
    return "the complete WISDM v1.1; the published test accuracy is 87.9 %"


def fit(model: Keras, side: Part, epochs: int) -> tuple[History, float]:
    """Train as the tutorial does, batches in order; return the history, and seconds an epoch."""
    model.compile("adam", loss="categorical_crossentropy", metrics=["accuracy"])
    steps = -(-int(len(side.scaled) * (1 - VALIDATION)) // BATCH)
    began = time.perf_counter()
    with epochs_bar(RECIPE, epochs, steps) as step:
        history = model.fit(
            side.scaled,
            one_hot(side.raw.labels),
            epochs=epochs,
            batch_size=BATCH,
            validation_split=VALIDATION,
            shuffle=False,
            verbose=0,
            callbacks=[_advancing(step)],
        )
    values = {name: [float(value) for value in line] for name, line in history.history.items()}
    return values, (time.perf_counter() - began) / epochs


def one_hot(labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return labels (n,) as rows (n, classes) of the six activities, also where some are absent."""
    return np.eye(len(ACTIVITIES), dtype=np.float32)[labels]


def _advancing(step: Step) -> Keras:
    return keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda _, logs: step(logs["loss"], logs["accuracy"])
    )


def evaluate(model: Keras, side: Part) -> Score:
    """Score the test users' windows."""
    result = score(NAME, Answers.of(side.raw, answers(model, side)))
    say(f"test accuracy {result.accuracy:.3f}, macro-F1 {result.macro_f1:.3f}")
    return result


def answers(model: Keras, side: Part) -> NDArray[np.float32]:
    """Return the trained model's probabilities (n, classes)."""
    return np.asarray(model.predict(side.scaled, batch_size=256, verbose=0), np.float32)


def with_its_scaler(model: Keras, scaler: RobustScaler) -> Keras:
    """Return the model that takes raw windows in m/s²."""
    return with_scaler(model, scaler.center_.tolist(), scaler.scale_.tolist())


def proof(model: Keras, side: Part) -> Proof:
    """Return raw windows, and what the model answers where they are scaled by scikit-learn."""
    return Proof(side.raw.xyz[:PROOFS], answers(model, side)[:PROOFS])


def draw(folder: Path, history: History, result: Score) -> None:
    """Plot how training went, and the confusion matrix."""
    plots.history(folder / "history.png", "Classic BiLSTM on WISDM v1.1", history)
    plots.confusion(folder / "confusion.png", "Users over 30, WISDM v1.1", result, ACTIVITIES)


def _training_set(path: Path, training: Table) -> TrainingSet:
    users = tuple(map(str, np.unique(training.users)))
    return TrainingSet(NAME, users, len(training.xyz), checksums(path))


def _people(training: Table, test: Table) -> dict[str, tuple[str, ...]]:
    sides = {"train": training, "test": test}
    return {name: tuple(map(str, np.unique(side.users))) for name, side in sides.items()}


def _last(history: History) -> dict[str, float]:
    return {f"last_{name}": round(values[-1], 4) for name, values in history.items()}
