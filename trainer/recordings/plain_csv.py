"""Plain tables of samples, as spreadsheets and small apps write them.

Android's sign is assumed where no column `axes` says otherwise: a signal can't tell.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from stream.events import UNKNOWN
from trainer.errors import DataError
from trainer.recordings.columns import Columns, find
from trainer.recordings.names import Origin, label_of
from trainer.recordings.recording import LoadReport, Recording
from trainer.recordings.samples import Samples, Source, recordings, together
from trainer.recordings.table import Table, parse
from trainer.recordings.units import MS2, seconds, unit_of

SUFFIXES = (".csv", ".tsv", ".txt")
SIGNS = {"android": 1.0, "": 1.0, "ios": -1.0}
ME = "me"


def groups(texts: Mapping[str, str]) -> list[list[str]]:
    """Take every table by itself."""
    return [[name] for name in texts if name.casefold().endswith(SUFFIXES)]


def read(texts: Mapping[str, str], origin: Origin, report: LoadReport) -> list[Recording]:
    """Read the one table of `texts`; raises DataError if it holds no usable recording."""
    (text,) = texts.values()
    table = parse(text, origin.name)
    columns = find(table.header, origin.name)
    table = table.usable(columns.numeric, origin.name, report)
    table = table.in_order(together(_sources(table, columns, origin)))
    return list(recordings(_samples(table, columns, origin, report), report))


def _samples(table: Table, columns: Columns, origin: Origin, report: LoadReport) -> Samples:
    values = table.numbers(columns.numeric)
    total = values[:, 1:4]
    if columns.gravity is not None:
        total = _total(total, values[:, 4:7], columns.linear, origin.name)
    t = seconds(values[:, 0], columns.time_unit, origin.name)
    scale = MS2[unit_of(total, columns.unit, origin.name)]
    xyz = total * scale * _signs(table, columns, origin.name)
    return Samples(
        t, xyz, _labels(table, columns, origin, report), _sources(table, columns, origin)
    )


def _total(
    xyz: NDArray[np.float64], gravity: NDArray[np.float64], linear: bool, name: str
) -> NDArray[np.float64]:
    """Return acceleration with gravity, (n, 3), which `xyz` holds or lacks.

    Over a recording, what a person adds points nowhere, so that the slope of acceleration over
    gravity is 1 with gravity and 0 without; in 270 trials of MotionSense it is -0.25 to 0.03.
    """
    slope = float((xyz * gravity).sum() / max((gravity**2).sum(), 1e-12))
    if linear or abs(slope) < 0.5:
        return xyz + gravity
    if abs(slope - 1) < 0.5:
        return xyz
    raise DataError(
        f"{name}: holds {slope:.2g} of its gravity columns: 1 (with gravity) or 0 (without) is"
        " expected, in the same unit and sign"
    )


def _signs(table: Table, columns: Columns, name: str) -> NDArray[np.float64]:
    """Return 1 or -1 a row, (n, 1)."""
    axes = _cells(table, columns.axes, "")
    foreign = next((cell for cell in axes if cell.casefold() not in SIGNS), None)
    if foreign is not None:
        raise DataError(f"{name}: axes {foreign!r} are not known: android or ios")
    return np.array([[SIGNS[cell.casefold()]] for cell in axes])


def _labels(table: Table, columns: Columns, origin: Origin, report: LoadReport) -> list[str]:
    if columns.label is None:
        report.count("file without a label, taken as Unknown", origin.label == UNKNOWN)
        return [origin.label] * len(table.rows)
    cells = table.texts(columns.label)
    known = {cell: label_of(cell) for cell in set(cells)}
    return [known[cell] for cell in cells]


def _sources(table: Table, columns: Columns, origin: Origin) -> list[Source]:
    """Return (subject, device, session) a row; without a subject, the device stands for one."""
    devices = _cells(table, columns.device, "")
    named = _cells(table, columns.subject, "")
    sessions = _cells(table, columns.session, "")
    subjects = [
        subject or origin.subject or device or ME
        for subject, device in zip(named, devices, strict=True)
    ]
    return list(zip(subjects, [device or "phone" for device in devices], sessions, strict=True))


def _cells(table: Table, column: int | None, otherwise: str) -> list[str]:
    if column is None:
        return [otherwise] * len(table.rows)
    return [cell.strip() for cell in table.texts(column)]
