"""One run of `gaitway bench model`: who takes part, and their turns."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from stream.config import Signal
from stream.model.classifier import OnnxClassifier
from trainer.bench.report import Report, machine
from trainer.bench.timing import Contender, Plan, Windows, measure

PROOFS = 64  # windows on which the exported classic is compared with the Keras model
TRAINING = "pip install '.[train]'"

Classic = tuple[Contender, list[Contender]]  # in ONNX Runtime; in what TensorFlow offers


@dataclass(frozen=True, slots=True)
class Bench:
    """What is timed, and how."""

    artifact: Path
    batches: tuple[int, ...]
    rounds: int
    threads: int


class Watcher(Protocol):
    """Is told how far a run is."""

    def say(self, text: str, total: int | None = None) -> None:
        """Take note of what begins, of `total` steps where they are known."""

    def step(self) -> None:
        """Take note that one more step is done."""


def run(bench: Bench, watcher: Watcher, warn: Callable[[str], None]) -> Report:
    """Time the artifact and, where TensorFlow is installed, the classic network.

    Raises ArtifactError if the artifact can't be run.
    """
    shipped = OnnxClassifier(bench.artifact, Signal(), bench.threads)
    ours = Contender(shipped.manifest.model, "ONNX Runtime", shipped.classify)
    watcher.say("builds the classic")
    found = _classic(bench.threads, warn)
    reference, others = found or (None, [])
    contenders = [ours, *([reference] if reference else []), *others]

    plan = Plan(bench.rounds)
    watcher.say("times", plan.steps(len(contenders) * len(bench.batches)))
    batches = [made_up(count) for count in bench.batches]
    speeds = measure(
        contenders, batches, plan, time.perf_counter, reference=reference, step=watcher.step
    )
    return Report(
        artifact=ours.model,
        threads=bench.threads,
        rounds=bench.rounds,
        machine=machine(),
        speeds=speeds,
    )


def made_up(count: int) -> Windows:
    """Return windows (count, time, 3) in m/s² of a phone that is shaken."""
    rng = np.random.default_rng(0)
    shape = (count, Signal().window, 3)
    return rng.normal([0.0, 9.8, 0.0], 3.0, shape).astype(np.float32)


def _classic(threads: int, warn: Callable[[str], None]) -> Classic | None:
    """Return the classic network's contenders; without what training needs, say so."""
    try:
        # Imported here because it takes TensorFlow, which need not be installed.
        from trainer.bench.classic import contenders  # noqa: PLC0415

        return contenders(Signal(), made_up(PROOFS), threads)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in {"stream", "trainer"}:
            raise
        warn(f"only the artifact is timed: the classic network needs {missing}: {TRAINING}")
        return None
