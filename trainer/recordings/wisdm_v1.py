"""WISDM v1.1 (Kwapisz, Weiss, Moore 2010): `user,activity,timestamp,x,y,z;`, broken in places.

Every oddity of the publisher's file is counted, none raises.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.errors import DataError
from trainer.recordings.archive import members
from trainer.recordings.fields import finite, nanoseconds
from trainer.recordings.locate import locate
from trainer.recordings.recording import ACTIVITIES, LoadReport, Recording
from trainer.recordings.runs import blocks, contiguous, sane

NAME = "wisdm-v1.1"
GET = "wisdm"
RATE_HZ = 20.0
RAW = "WISDM_ar_v1.1_raw.txt"
FILES = (RAW, f"WISDM_ar_v1.1/{RAW}", "WISDM_ar_latest.tar.gz")
COMPLETE_RECORDS = 1_098_207  # as the publisher's about file says

Row = tuple[int, str, int, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The file's records in their own order: ids (n,), names (n,), ns (n,), m/s² (n, 3)."""

    users: NDArray[np.int64]
    activities: NDArray[np.str_]
    time_ns: NDArray[np.int64]
    xyz: NDArray[np.float32]

    def where(self, mask: NDArray[np.bool_]) -> "Table":
        """Return the records that `mask` (n,) selects."""
        return Table(self.users[mask], self.activities[mask], self.time_ns[mask], self.xyz[mask])


def load(path: Path | None = None) -> tuple[list[Recording], LoadReport]:
    """Read the file that `locate` finds, as contiguous runs of one user and one activity."""
    table, report = load_table(locate(FILES, path, GET))
    return list(recordings(table, report)), report


def load_table(path: Path) -> tuple[Table, LoadReport]:
    """Read a raw text file or the publisher's archive; raises DataError if no record is in it."""
    table, report = parse(raw_bytes(path).decode("utf-8-sig", errors="replace"))
    if not report.kept:
        raise DataError(f"{path}: holds no record like `user,activity,timestamp,x,y,z;`")
    return table, report


def raw_bytes(path: Path) -> bytes:
    """Return the content of the raw file, taken out of its archive or folder if need be."""
    if path.suffix == ".txt":
        return path.read_bytes()
    for _, content in members(path, RAW):
        return content
    raise DataError(f"{path}: holds no {RAW}")


def parse(text: str) -> tuple[Table, LoadReport]:
    """Parse the publisher's line format, with all its quirks, into a table."""
    report = LoadReport()
    if text and not text.endswith("\n"):
        report.count("no newline at the end of the file")
    rows = [row for line in text.splitlines() for row in _line(line, report)]
    report.kept = len(rows)
    table = _table(rows)
    _count_times(table, report)
    return table, report


def _line(line: str, report: LoadReport) -> Iterator[Row]:
    if not line.strip():
        report.count("blank line")
        return
    records = [piece for piece in line.split(";") if piece.strip(" \t,")]
    report.count("more than one record on a line", max(len(records) - 1, 0))
    report.count("trailing ;" if line.rstrip().endswith(";") else "no ; at the end of a line")
    report.count("line without a record", not records)
    for record in records:
        report.found += 1
        row = _record(record.split(","), report)
        if row is not None:
            yield row


def _record(fields: list[str], report: LoadReport) -> Row | None:
    """Return the row, or None once the reason for leaving it out is counted."""
    if len(fields) > 6 and not any(field.strip() for field in fields[6:]):
        report.count("comma at the end of a record")
        fields = fields[:6]
    if len(fields) == 5 or (len(fields) == 6 and not fields[5].strip()):
        report.count("empty or missing z, left out")
        return None
    try:
        user, activity, time_ns, x, y, z = (field.strip() for field in fields)
        row = int(user), activity, nanoseconds(time_ns), finite(x), finite(y), finite(z)
    except ValueError:
        report.count("malformed record, left out")
        return None
    if activity not in ACTIVITIES:
        report.count("unknown activity, left out")
        return None
    return row


def _table(rows: list[Row]) -> Table:
    users, activities, times, x, y, z = zip(*rows, strict=True) if rows else [()] * 6
    return Table(
        users=np.array(users, dtype=np.int64),
        activities=np.array(activities, dtype=np.str_),
        time_ns=np.array(times, dtype=np.int64),
        xyz=np.column_stack([x, y, z]).astype(np.float32),
    )


def _count_times(table: Table, report: LoadReport) -> None:
    """Count odd times; steps are only looked at within one block of user and activity."""
    report.count("zero timestamp", int((table.time_ns == 0).sum()))
    steps = [np.diff(table.time_ns[span]) for span in blocks(table.users, table.activities)]
    step = np.concatenate(steps) if steps else np.empty(0)
    report.count("backward timestamp", int((step < 0).sum()))
    report.count("repeated timestamp", int((step == 0).sum()))


def recordings(table: Table, report: LoadReport) -> Iterator[Recording]:
    """Yield contiguous runs; blocks whose times make no sense come whole and without times."""
    table = table.where(table.time_ns != 0)
    for block in blocks(table.users, table.activities):
        t = table.time_ns[block] / 1e9
        usable = sane(t)
        report.count(
            "record in a block without usable times, taken as 20 Hz", len(t) * (not usable)
        )
        for run in contiguous(t) if usable else [slice(0, len(t))]:
            yield Recording(
                dataset=NAME,
                subject=str(table.users[block.start]),
                device="Android phone",
                rate_hz=RATE_HZ,
                t=t[run] if usable else None,
                xyz=table.xyz[block][run],
                labels=table.activities[block][run],
            )
