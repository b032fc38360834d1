"""Puts a trained model on disk as an artifact: the graph, and the manifest that describes it."""

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream import __version__
from stream.config import Signal
from stream.model import artifact
from stream.model.artifact import Manifest, TrainingSet
from trainer.export import export
from trainer.recordings import ACTIVITIES


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model comes from, and what was measured on it."""

    recipe: str
    trained_on: tuple[TrainingSet, ...]
    split: dict[str, tuple[str, ...]]
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """Raw windows (n, time, 3) in m/s², and the model's answers (n, classes) as trained."""

    windows: NDArray[np.float32]
    expected: NDArray[np.float32]


def write_artifact(
    folder: Path,
    model: Any,  # noqa: ANN401  Keras is untyped
    proof: Proof,
    origin: Origin,
    signal: Signal,
) -> Manifest:
    """Export `model`, which takes raw windows, and write its manifest into `folder`.

    The greatest difference between graph and `proof` goes into the metrics. Raises ExportError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    difference = export(model, folder / artifact.MODEL, proof.windows, proof.expected)
    manifest = Manifest(
        name=origin.recipe,
        activities=ACTIVITIES,
        rate_hz=signal.grid_hz,
        window=signal.window,
        hop=signal.hop,
        units="m/s2",
        sha256=artifact.sha256_of(folder / artifact.MODEL),
        trained_on=origin.trained_on,
        split=origin.split,
        metrics=origin.metrics | {"export_max_difference": difference},
        code_version=__version__,
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )
    artifact.write(folder, manifest)
    return manifest
