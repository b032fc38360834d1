"""`gaitway evaluate-rates`: everyone's recordings as other streams, window by window."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from stream.config import Signal
from stream.model.classifier import OnnxClassifier
from trainer import gather
from trainer.errors import DataError
from trainer.progress import console, counted_bar
from trainer.rates import report
from trainer.rates.agreement import agreements
from trainer.rates.pairs import Pairs, person
from trainer.recordings import Recording, motionsense, wisdm_2019
from trainer.windows import times

DATASETS = (motionsense.NAME, wisdm_2019.NAME)
QUICK_PEOPLE, QUICK_S = 2, 20.0  # of each data set; of each recording


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asks for; `seconds` of each recording are read at most."""

    artifact: Path
    out: Path
    data: Path | None = None
    seconds: float = 120.0
    seed: int = 0
    jobs: int = 1
    quick: bool = False

    @property
    def folder(self) -> Path:
        """Where everything goes; trials have their own place, and so never replace results."""
        return self.out / "quick" if self.quick else self.out


def evaluate(plan: Plan) -> Path:
    """Measure, show a table, write figures and plots; return `metrics.json`.

    Raises DataError where nobody has a window, and ArtifactError.
    """
    model = OnnxClassifier(plan.artifact, Signal()).manifest.model
    found = list(agreements(measured(plan, everyone(plan))))
    path = report.write(plan.folder, report.Origin(model, plan.seconds, plan.seed), found)
    console.print(report.tables(model, found))
    return path


def everyone(plan: Plan) -> list[list[Recording]]:
    """Return each person's recordings, the first seconds of each."""
    seconds = min(plan.seconds, QUICK_S) if plan.quick else plan.seconds
    people: dict[tuple[str, str], list[Recording]] = {}
    for name, recordings in gather.load(plan.data):
        for recording in recordings if name in DATASETS else ():
            whose = people.setdefault((name, recording.subject), [])
            whose.append(shortened(recording, seconds))
    if not plan.quick:
        return list(people.values())
    by_dataset = [[those for (of, _), those in people.items() if of == name] for name in DATASETS]
    return [those for part in by_dataset for those in part[:QUICK_PEOPLE]]


def shortened(recording: Recording, seconds: float) -> Recording:
    """Return the beginning of a recording."""
    t = times(recording)
    end = int(np.searchsorted(t, t[0] + seconds, side="right"))
    return replace(
        recording,
        t=None if recording.t is None else recording.t[:end],
        xyz=recording.xyz[:end],
        labels=recording.labels[:end],
    )


def measured(plan: Plan, people: Sequence[Sequence[Recording]]) -> Pairs:
    """Compare every variant of everybody's recordings, `jobs` people at a time, under a bar."""
    # In order: the same figures to the last digit, however many processes.
    done = Parallel(n_jobs=min(plan.jobs, max(len(people), 1)), return_as="generator")(
        delayed(person)(plan.artifact, theirs, plan.seed) for theirs in people
    )
    found: list[Pairs] = []
    with counted_bar("streams", len(people), 0) as advance:
        for theirs, pairs in zip(people, done, strict=True):
            found += [] if pairs is None else [pairs]
            advance(f"{theirs[0].dataset}/{theirs[0].subject}")
    if not found:
        sets = " nor ".join(DATASETS)
        raise DataError(f"neither {sets} has a recording that is long enough for one window")
    return Pairs.joined(found)
