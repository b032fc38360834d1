"""Cuts the checked samples of one file into recordings: by subject, device, session, and gap."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, groupby

import numpy as np
from numpy.typing import NDArray

from stream.config import Wire
from stream.wire.limits import STANDARD_GRAVITY
from trainer.recordings.recording import LoadReport, Recording
from trainer.recordings.runs import contiguous

NAME = "own"
MAX_G = Wire().max_g  # the server refuses what is beyond it

Source = tuple[str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Seconds (n,), m/s² with gravity and Android's sign (n, 3), and a label a row.

    `sources` has each row's (subject, device, session); rows of one source stand together.
    """

    t: NDArray[np.float64]
    xyz: NDArray[np.float64]
    labels: Sequence[str]
    sources: Sequence[Source]


def recordings(samples: Samples, report: LoadReport) -> Iterator[Recording]:
    """Yield every source's contiguous runs; a run may change its label, however often.

    Samples that no phone measures, and that the server refuses, are left out and counted.
    """
    rate_hz = _rate_hz(samples.t, 0.0)
    samples = _possible(samples, report)
    labels = np.array(samples.labels, dtype=np.str_)
    for (subject, device, _), of_source in groupby(range(len(labels)), samples.sources.__getitem__):
        rows = list(of_source)
        for run in contiguous(samples.t[rows]):
            t, xyz = samples.t[rows][run], samples.xyz[rows][run].astype(np.float32)
            rate = _rate_hz(t, rate_hz)
            report.kept += len(t)
            yield Recording(NAME, subject, device, rate, t, xyz, labels[rows][run])


def together(sources: Sequence[Source]) -> list[int]:
    """Return the order in which rows of one source stand together and keep their own order.

    >>> together([("bo", "pixel", "1"), ("anna", "pixel", "1"), ("bo", "pixel", "1")])
    [0, 2, 1]
    """
    first = {source: at for at, source in reversed(list(enumerate(sources)))}
    return sorted(range(len(sources)), key=lambda at: first[sources[at]])


def _possible(samples: Samples, report: LoadReport) -> Samples:
    """Return those within the server's limit on every axis."""
    limit = MAX_G * STANDARD_GRAVITY
    fine = np.asarray((np.abs(samples.xyz) <= limit).all(axis=1), np.bool_)
    if fine.all():
        return samples
    report.count(f"sample beyond ±{MAX_G:g} g, left out", int((~fine).sum()))
    return Samples(
        samples.t[fine],
        samples.xyz[fine],
        list(compress(samples.labels, fine)),
        list(compress(samples.sources, fine)),
    )


def _rate_hz(t: NDArray[np.float64], otherwise: float) -> float:
    """Return one over the median step, or `otherwise` for what is too short to have one."""
    step = float(np.median(np.diff(t))) if len(t) > 1 else 0.0
    return 1 / step if step > 0 else otherwise
