"""WISDM 2019 (Weiss 2019), the phone's accelerometer: 18 activities, stairs up and down as one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.errors import DataError
from trainer.recordings.archive import texts
from trainer.recordings.fields import finite, nanoseconds
from trainer.recordings.locate import locate
from trainer.recordings.recording import LoadReport, Recording
from trainer.recordings.runs import blocks, contiguous, sane

NAME = "wisdm-2019"
GET = "wisdm-2019"
RATE_HZ = 20.0  # nominal; by their timestamps some people were recorded at 25 or 50 Hz
FILES = ("wisdm-dataset.zip", "wisdm-dataset")
LABELS = {
    "A": "Walking",
    "B": "Jogging",
    "C": "Stairs",
    "D": "Sitting",
    "E": "Standing",
    "F": "Typing",
    "G": "Teeth",
    "H": "Soup",
    "I": "Chips",
    "J": "Pasta",
    "K": "Drinking",
    "L": "Sandwich",
    "M": "Kicking",
    "O": "Catch",
    "P": "Dribbling",
    "Q": "Writing",
    "R": "Clapping",
    "S": "Folding",
}

Row = tuple[str, str, int, float, float, float]


def load(path: Path | None = None) -> tuple[list[Recording], LoadReport]:
    """Read every person's phone accelerometer, as contiguous runs of one activity.

    Raises DataError if the archive holds none. A run whose timestamps make no sense comes
    without times.
    """
    where = locate(FILES, path, GET)
    report = LoadReport()
    found = [
        recording
        for _, text in texts(where, "phone/accel/data_*_accel_phone.txt")
        for recording in _person(text, report)
    ]
    if not found:
        raise DataError(f"{where}: holds no phone/accel/data_*_accel_phone.txt")
    return found, report


def _person(text: str, report: LoadReport) -> Iterator[Recording]:
    rows = [row for line in text.splitlines() if (row := _row(line, report)) is not None]
    if not rows:
        return
    subjects, labels, times, x, y, z = zip(*rows, strict=True)
    t = np.array(times, dtype=np.int64) / 1e9
    xyz = np.column_stack([x, y, z]).astype(np.float32)
    names = np.array(labels, dtype=np.str_)
    for block in blocks(names):
        yield from _runs(subjects[0], t[block], xyz[block], names[block], report)


def _row(line: str, report: LoadReport) -> Row | None:
    """Return `subject, name, ns, x, y, z`, or None once the reason is counted."""
    if not line.strip():
        report.count("blank line")
        return None
    report.found += 1
    try:
        subject, label, time_ns, x, y, z = line.strip().rstrip(";").split(",")
        row = subject, LABELS[label], nanoseconds(time_ns), finite(x), finite(y), finite(z)
    except (ValueError, KeyError):
        report.count("malformed record, left out")
        return None
    report.kept += 1
    return row


def _runs(
    subject: str,
    t: NDArray[np.float64],
    xyz: NDArray[np.float32],
    labels: NDArray[np.str_],
    report: LoadReport,
) -> Iterator[Recording]:
    usable = sane(t)
    report.count("record in a block without usable times, taken as 20 Hz", len(t) * (not usable))
    for run in contiguous(t) if usable else [slice(0, len(t))]:
        times = t[run] if usable else None
        yield Recording(NAME, subject, "Android phone", RATE_HZ, times, xyz[run], labels[run])
