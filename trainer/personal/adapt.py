"""`gaitway adapt`: one person's labelled recordings in, an artifact for their device out."""

import datetime
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np

from stream import __version__
from stream.config import Signal
from stream.model import artifact
from stream.model.artifact import Manifest, TrainingSet
from stream.wire import check_id
from trainer.checksums import checksums
from trainer.errors import DataError, ExportError
from trainer.personal import report as adapt_report
from trainer.personal.fit import Lesson, fitted
from trainer.personal.graph import TOLERANCE, Graph
from trainer.personal.left_out import left_out
from trainer.personal.options import GOOD_WINDOWS, LEAST_ACTIVITIES, LEAST_WINDOWS, Plan
from trainer.personal.own_windows import OwnWindows, own_windows
from trainer.progress import console, say
from trainer.recordings import Recording, own
from trainer.windows import by_number


def adapt(plan: Plan) -> Path:
    """Write the artifact and return its folder.

    Raises ParameterError for an impossible device id, ArtifactError for an artifact that can't be
    adapted, DataError for recordings that don't do, and ExportError if the graph that was written
    answers differently from what was fitted.
    """
    check_id("device", plan.device)
    if plan.folder.resolve() == plan.artifact.resolve():
        raise DataError(f"--out {plan.folder}: is the artifact itself; give another folder")
    base = artifact.load(plan.artifact)
    signal = Signal(grid_hz=base.rate_hz, window=base.window, hop=base.hop)
    artifact.agree(base, signal, plan.artifact)
    path = plan.artifact / artifact.MODEL
    graph = Graph(path.read_bytes(), str(path))
    recordings = of_one(plan, load(plan.recordings))
    windows = enough(own_windows(recordings, base.activities, signal), plan, base)
    say(adapt_report.what_there_is(windows, base.activities))
    graph.check(windows.xyz)
    lesson = Lesson(graph.features(windows.xyz), windows.labels)
    tried = left_out(graph.layer, lesson, windows.takes, bias=graph.has_bias)
    adapted, difference = proven(graph, lesson, windows)
    metrics = adapt_report.metrics(lesson, graph.layer, adapted.layer, tried)
    origin = training_set(plan, recordings)
    manifest = write(plan, base, adapted, origin, metrics | {"export_max_difference": difference})
    adapt_report.write(plan, base, manifest)
    say(adapt_report.verdict(tried))
    return plan.folder


def load(folder: Path) -> list[Recording]:
    """Read all recordings, and show what was odd about them."""
    with console.status(f"reading {folder}"):
        recordings, report = own.load(folder)
    say(f"{folder}: " + "\n".join(report.lines()))
    return recordings


def of_one(plan: Plan, recordings: list[Recording]) -> list[Recording]:
    """Return the recordings of the person who was asked for. Raises DataError if that is open.

    Where nobody was, and there are several people, it is the one who is called like the device:
    so are recordings that the server made, and that name no person.
    """
    there = by_number(item.subject for item in recordings)
    unknown = [name for name in plan.subjects if name not in there]
    if unknown:
        raise DataError(
            f"--subject {unknown[0]}: {plan.recordings} has recordings of {', '.join(there)}"
        )
    wanted = plan.subjects or ((plan.device,) if plan.device in there else ())
    if not wanted and len(there) > 1:
        raise DataError(
            f"{plan.recordings}: has recordings of {', '.join(there)}, and a personal model is one "
            f"person's; choose with --subject {there[0]} (again for each other name of theirs)"
        )
    return [item for item in recordings if not wanted or item.subject in wanted]


def enough(windows: OwnWindows, plan: Plan, base: Manifest) -> OwnWindows:
    """Return the windows of activities that have enough of them, thinned to what was asked for.

    Raises DataError, with how many there are and how to get more, for fewer than two activities.
    """
    counts = np.bincount(windows.labels, minlength=len(base.activities))
    kept = np.flatnonzero(counts >= LEAST_WINDOWS)
    if len(kept) < LEAST_ACTIVITIES:
        found = Counter(dict(zip(base.activities, counts.tolist(), strict=True))) + windows.others
        raise DataError(f"{plan.recordings}: {_too_few(found, base)}")
    windows = windows.where(np.isin(windows.labels, kept))
    return windows if plan.windows is None else windows.thinned(plan.windows)


def _too_few(found: Counter[str], base: Manifest) -> str:
    each_s = (base.window + (GOOD_WINDOWS - 1) * base.hop) / base.rate_hz
    there = ", ".join(f"{name} {count}" for name, count in found.most_common() if count)
    return (
        f"too few windows: {there or 'none'}; at least {LEAST_WINDOWS} of each of "
        f"{LEAST_ACTIVITIES} activities are needed ({', '.join(base.activities)}), better "
        f"{GOOD_WINDOWS} of all: record {each_s:.0f} s of each, and label it"
    )


def proven(graph: Graph, lesson: Lesson, windows: OwnWindows) -> tuple[Graph, float]:
    """Return the adapted graph, and how far its answers are from the fitted layer's.

    Raises ExportError over 1e-5.
    """
    layer = fitted(graph.layer, lesson, bias=graph.has_bias)
    adapted = graph.replaced(layer)
    expected = layer.probabilities(lesson.features)
    difference = float(np.abs(adapted.probabilities(windows.xyz) - expected).max())
    if not difference <= TOLERANCE:
        raise ExportError(
            f"the adapted graph differs from the fitted layer by {difference:.2g}, more than "
            f"{TOLERANCE:g}"
        )
    return adapted, difference


def training_set(plan: Plan, recordings: list[Recording]) -> TrainingSet:
    """Describe the recordings that the model was adapted on."""
    return TrainingSet(
        name=own.NAME,
        subjects=tuple(by_number(item.subject for item in recordings)),
        records=sum(map(len, recordings)),
        files=checksums(plan.recordings.resolve()),
    )


def write(
    plan: Plan, base: Manifest, adapted: Graph, origin: TrainingSet, metrics: dict[str, float]
) -> Manifest:
    """Write the graph and its manifest: the artifact's own, with what is new."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    path = plan.folder / artifact.MODEL
    path.write_bytes(adapted.content())
    people = tuple(f"{origin.name}/{subject}" for subject in origin.subjects)
    manifest = msgspec.structs.replace(
        base,
        name=f"{base.name.removesuffix(f'-{plan.device}')}-{plan.device}",
        sha256=artifact.sha256_of(path),
        trained_on=(*base.trained_on, origin),
        split=base.split | {"adapted": people},
        metrics=metrics,
        code_version=__version__,
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )
    artifact.write(plan.folder, manifest)
    return manifest
