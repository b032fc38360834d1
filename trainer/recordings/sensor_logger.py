"""Exports of the Sensor Logger app (Kelvin Choi): a folder or zip of CSV files, or one JSON file.

Units and signs are those of UNITS.md, CROSSPLATFORM.md and COORDINATES.md in
tszheichoi/awesome-sensor-logger: times in ns since 1970 beside seconds since the start; m/s²,
but uncalibrated g on an iPhone; on an iPhone the opposite sign on every axis. Its setting
"Standardise Units & Frames", off by default, makes an iPhone write what an Android phone does.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import compress
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from stream.events import UNKNOWN
from trainer.errors import DataError
from trainer.recordings.names import Origin, activity_in, label_of
from trainer.recordings.recording import LoadReport, Recording
from trainer.recordings.samples import Samples, recordings
from trainer.recordings.table import Table, parse
from trainer.recordings.units import MS2, seconds, unit_of

# The names of its sensors, as files and in JSON, without case.
TOTAL, LINEAR, GRAVITY = "totalacceleration", "accelerometer", "gravity"
RAW, NOTES, METADATA = "accelerometeruncalibrated", "annotation", "metadata"
SENSORS = (TOTAL, LINEAR, GRAVITY, RAW)
ELAPSED = "seconds_elapsed"
NEAR_S = 0.2  # an acceleration without gravity measured this near can't be completed
ME = "me"

Tables = Mapping[str, Table]
Signal = tuple[NDArray[np.float64], NDArray[np.float64]]  # times (n,), axes (n, 3)


def folder_groups(texts: Mapping[str, str]) -> list[list[str]]:
    """Take all files of a folder that come from the app, as one recording.

    A file that is called after an activity is its owner's, whatever its columns.
    """
    files = [name for name in texts if name.casefold().endswith(".csv")]
    ours = [name for name in files if _is_ours(name, texts[name])]
    return [ours] if any(_sensor(name) in (*SENSORS, METADATA) for name in ours) else []


def json_groups(texts: Mapping[str, str]) -> list[list[str]]:
    """Take every JSON file by itself."""
    return [[name] for name in texts if name.casefold().endswith(".json")]


def read_folder(texts: Mapping[str, str], origin: Origin, report: LoadReport) -> list[Recording]:
    """Read the files of one export; raises DataError if it has no acceleration with gravity."""
    tables = dict(_tables(texts, origin.name, report))
    return list(recordings(_samples(tables, origin, report), report))


def read_json(texts: Mapping[str, str], origin: Origin, report: LoadReport) -> list[Recording]:
    """Read an export of one file; raises DataError if it has no acceleration with gravity."""
    (text,) = texts.values()
    return list(recordings(_samples(_from_json(text, origin.name), origin, report), report))


def _is_ours(name: str, text: str) -> bool:
    head = text.partition("\n")[0].casefold()
    if _sensor(name) == METADATA:
        return "platform" in head and "device name" in head
    return ELAPSED in head and activity_in(PurePosixPath(name).stem) is None


def _sensor(name: str) -> str:
    return PurePosixPath(name).stem.casefold()


def _tables(
    texts: Mapping[str, str], folder: str, report: LoadReport
) -> Iterator[tuple[str, Table]]:
    """Yield the files of an export; without notes or metadata it is worth as much."""
    for name, text in texts.items():
        sensor = _sensor(name)
        try:
            if sensor in (*SENSORS, NOTES, METADATA):
                yield sensor, parse(text, f"{folder}/{name}")
        except DataError as error:
            if sensor in SENSORS:
                raise
            report.count(f"file left out: {error}")


def _from_json(text: str, name: str) -> dict[str, Table]:
    """Return a table a sensor; README.md: "an array of objects", each a row of its `sensor`."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}: is no JSON: {error}") from error
    if not isinstance(rows, list):
        raise DataError(f"{name}: is no export of Sensor Logger, which is an array of objects")
    by_sensor: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        if isinstance(row, dict):
            by_sensor.setdefault(str(row.get("sensor", "")).casefold(), []).append(row)
    return {sensor: _table(found) for sensor, found in by_sensor.items()}


def _table(rows: list[dict[str, object]]) -> Table:
    header = tuple(dict.fromkeys(column for row in rows for column in row))
    return Table(header, [[str(row.get(column, "")) for column in header] for row in rows])


def _samples(tables: Tables, origin: Origin, report: LoadReport) -> Samples:
    about = _metadata(tables)
    (times, xyz), raw = _acceleration(tables, origin.name, report)
    t = seconds(times, "s", origin.name)
    unit = unit_of(xyz, None if raw else "m/s2", origin.name)
    device = about.get("device name", "").strip() or "phone"
    sources = [(origin.subject or ME, device, "")] * len(t)
    labels = _labels(tables, t, origin, report)
    return Samples(t, xyz * MS2[unit] * _sign(about, unit, report), labels, sources)


def _metadata(tables: Tables) -> dict[str, str]:
    table = tables.get(METADATA)
    if table is None or not table.rows:
        return {}
    names = [name.casefold() for name in table.header]
    return dict(zip(names, table.rows[0], strict=True))


def _acceleration(tables: Tables, name: str, report: LoadReport) -> tuple[Signal, bool]:
    """Return acceleration with gravity, from the best sensors there are, and whether it is raw."""
    if TOTAL in tables:
        return _signal(tables, TOTAL, name, report), False
    if LINEAR in tables and GRAVITY in tables:
        linear = _signal(tables, LINEAR, name, report)
        return _joined(linear, _gravity(tables, name, report), report), False
    if RAW in tables:
        return _signal(tables, RAW, name, report), True
    raise DataError(
        f"{name}: holds no acceleration with gravity: record Total Acceleration (Android), or"
        " Accelerometer and Gravity (iPhone), or Accelerometer Uncalibrated"
    )


def _signal(tables: Tables, sensor: str, name: str, report: LoadReport) -> Signal:
    """Return a sensor's usable rows; its columns come in any order, mostly z, y, x."""
    table = tables[sensor]
    names = [column.casefold() for column in table.header]
    lacking = [column for column in (ELAPSED, "x", "y", "z") if column not in names]
    if lacking:
        raise DataError(f"{name}: {sensor} lacks {', '.join(lacking)}")
    columns = [names.index(column) for column in (ELAPSED, "x", "y", "z")]
    values = table.usable(columns, f"{name}: {sensor}", report).numbers(columns)
    return values[:, 0], values[:, 1:]


def _gravity(tables: Tables, name: str, report: LoadReport) -> Signal:
    """Return gravity; its rows are not samples by themselves, so that only oddities count."""
    apart = LoadReport()
    found = _signal(tables, GRAVITY, name, apart)
    for oddity, times in apart.oddities.items():
        report.count(f"Gravity: {oddity}", times)
    return found


def _joined(linear: Signal, gravity: Signal, report: LoadReport) -> Signal:
    """Return linear acceleration plus gravity, read off between its neighbours in time.

    On an iPhone both share their times (UNITS.md has them added); gravity changes slowly.
    """
    order = np.argsort(gravity[0], kind="stable")
    at, axes = gravity[0][order], gravity[1][order]
    t, xyz = linear
    after = np.clip(np.searchsorted(at, t), 1, max(len(at) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(at) - 1)
    near = np.minimum(np.abs(at[before] - t), np.abs(at[after] - t)) <= NEAR_S
    report.count("row of Accelerometer without gravity near it, left out", int((~near).sum()))
    added = np.column_stack([np.interp(t[near], at, axis) for axis in axes.T])
    return t[near], xyz[near] + added


def _sign(about: Mapping[str, str], unit: str, report: LoadReport) -> float:
    """Return -1 where the export has an iPhone's signs; values in g come from iPhones alone."""
    platform = about.get("platform", "").strip().casefold()
    standardised = about.get("standardisation", "").strip().casefold() == "true"
    if platform in ("ios", "android"):
        return -1.0 if platform == "ios" and not standardised else 1.0
    report.count("export that names no platform, taken to have Android's signs", unit != "g")
    return -1.0 if unit == "g" else 1.0


def _labels(
    tables: Tables, t: NDArray[np.float64], origin: Origin, report: LoadReport
) -> list[str]:
    """Return a label for each time (n,): the note before it, or what the file is called."""
    begun, labels = _notes(tables, report)
    report.count("file without a label, taken as Unknown", not labels and origin.label == UNKNOWN)
    order = np.argsort(begun, kind="stable")
    place = np.searchsorted(begun[order], t, side="right")
    choice = [origin.label, *(labels[at] for at in order)]
    return [choice[at] for at in place.tolist()]


def _notes(tables: Tables, report: LoadReport) -> tuple[NDArray[np.float64], list[str]]:
    """Return when each note was made, and its label, once what can't be used is counted."""
    notes = tables.get(NOTES, Table((ELAPSED, "text"), []))
    names = [column.casefold() for column in notes.header]
    lacking = [column for column in (ELAPSED, "text") if column not in names]
    if lacking:
        report.count(f"Annotation without {', '.join(lacking)}, left out")
        return np.empty(0), []
    begun = notes.numbers([names.index(ELAPSED)])[:, 0]
    timed = np.isfinite(begun)
    report.count("annotation with more cells than the header, left out", notes.too_long)
    report.count("annotation without a time, left out", int((~timed).sum()))
    texts = compress(notes.texts(names.index("text")), timed)
    return begun[timed], [label_of(text) for text in texts]
