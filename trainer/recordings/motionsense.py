"""MotionSense (Malekzadeh 2018): an iPhone 6s in the front pocket, 50 Hz, one file a trial.

The files hold gravity and user acceleration in g with the iPhone's sign, and no time column.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.errors import DataError
from trainer.recordings.archive import texts
from trainer.recordings.locate import locate
from trainer.recordings.recording import LoadReport, Recording

NAME = "motionsense"
GET = "motionsense"
RATE_HZ = 50.0
FILES = ("A_DeviceMotion_data.zip", "A_DeviceMotion_data")
LABELS = {
    "dws": "Downstairs",
    "ups": "Upstairs",
    "wlk": "Walking",
    "jog": "Jogging",
    "sit": "Sitting",
    "std": "Standing",
}
COLUMNS = tuple(
    f"{part}.{axis}" for part in ("gravity", "userAcceleration") for axis in ("x", "y", "z")
)
MS2_PER_G = 9.80665
_TRIAL = re.compile(r"(dws|ups|wlk|jog|sit|std)_\d+/sub_(\d+)\.csv$")


def load(path: Path | None = None) -> tuple[list[Recording], LoadReport]:
    """Read every trial as one recording; raises DataError if the archive holds none."""
    where = locate(FILES, path, GET)
    report = LoadReport()
    found = []
    for name, text in texts(where, "*_*/sub_*.csv"):
        trial = _TRIAL.search(name)
        if trial and not name.startswith("__MACOSX"):
            found.append(_recording(trial[2], LABELS[trial[1]], _samples(name, text, report)))
    if not found:
        raise DataError(f"{where}: holds no trial like wlk_7/sub_1.csv")
    return found, report


def _samples(name: str, text: str, report: LoadReport) -> NDArray[np.float32]:
    """Return total acceleration (n, 3) in m/s², Android's sign."""
    head, _, body = text.partition("\n")
    names = [field.strip().strip('"') for field in head.split(",")]
    try:
        columns = [names.index(column) for column in COLUMNS]
        values = np.loadtxt(body.splitlines(), delimiter=",", usecols=columns, ndmin=2)
    except ValueError as error:
        raise DataError(f"{name}: {error}") from error
    report.found += len(values)
    finite = np.isfinite(values).all(axis=1)
    report.kept += int(finite.sum())
    report.count("sample that is no number, left out", int((~finite).sum()))
    total_g = values[finite, :3] + values[finite, 3:]
    # The iPhone reports the reaction to gravity with the opposite sign on every axis.
    return (total_g * -MS2_PER_G).astype(np.float32)


def _recording(subject: str, label: str, xyz: NDArray[np.float32]) -> Recording:
    return Recording(
        dataset=NAME,
        subject=subject,
        device="iPhone 6s",
        rate_hz=RATE_HZ,
        t=np.arange(len(xyz)) / RATE_HZ,
        xyz=xyz,
        labels=np.full(len(xyz), label),
    )
