"""A folder of the user's own recordings, of whatever formats: each file goes to its dialect.

One file that can't be read is counted by its name and reason, and stops nothing while others can.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trainer.errors import DataError, MissingError
from trainer.recordings import plain_csv, sensor_logger
from trainer.recordings.names import Origin, label_from, subject_from
from trainer.recordings.places import SUFFIXES, Place, Texts, places
from trainer.recordings.recording import LoadReport, Recording
from trainer.recordings.samples import NAME

__all__ = ["DIALECTS", "NAME", "Dialect", "load"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """Which of a folder's files a format takes, in groups that belong together; how it reads one.

    `read` raises DataError for a group that holds nothing usable.
    """

    groups: Callable[[Texts], list[list[str]]]
    read: Callable[[Texts, Origin, LoadReport], list[Recording]]
    by_folder: bool = False  # a group is what its folder is called, rather than its file


# In this order, a dialect takes what those before it have left.
DIALECTS: dict[str, Dialect] = {
    "sensor-logger": Dialect(
        sensor_logger.folder_groups, sensor_logger.read_folder, by_folder=True
    ),
    "sensor-logger-json": Dialect(sensor_logger.json_groups, sensor_logger.read_json),
    "plain-csv": Dialect(plain_csv.groups, plain_csv.read),
}


def load(folder: Path, subject: str | None = None) -> tuple[list[Recording], LoadReport]:
    """Read every recording below `folder`, which may be a single file, too.

    `subject` names the person where no column does; without it, a folder's name does, then the
    device's, then "me". Raises MissingError if there is no such folder, and DataError, with a
    reason for each file, if it holds no usable recording.
    """
    if not folder.exists():
        raise MissingError(f"{folder}: there is no such folder")
    report, faults = LoadReport(), list[str]()
    found = [
        recording
        for place in places(folder, faults)
        for recording in _read(place, subject, report, faults)
    ]
    if not found:
        raise DataError(_nothing(folder, faults))
    for fault in faults:
        report.count(f"file left out: {fault}")
    return found, report


def _nothing(folder: Path, faults: list[str]) -> str:
    if not faults:
        return f"{folder}: holds no recording: {', '.join(SUFFIXES)} and .zip are read"
    more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
    return f"{folder}: holds no usable recording: {'; '.join(faults[:3])}{more}"


def _read(
    place: Place, subject: str | None, report: LoadReport, faults: list[str]
) -> Iterator[Recording]:
    left = dict(place.texts)
    for dialect in DIALECTS.values():
        for group in dialect.groups(left):
            texts = {name: left.pop(name) for name in group}
            try:
                yield from dialect.read(texts, _origin(place, dialect, group, subject), report)
            except DataError as error:
                faults.append(str(error))


def _origin(place: Place, dialect: Dialect, group: list[str], subject: str | None) -> Origin:
    """Name a group after its file, or after its folder, which then is no person."""
    if dialect.by_folder:
        name = str(place.path) if place.path.parts else place.around[-1]
        return Origin(name, label_from(place.around), subject or subject_from(place.above))
    names = (PurePosixPath(group[0]).stem, *place.around)
    person = subject or subject_from((*place.itself, *place.above))
    return Origin(str(place.path / group[0]), label_from(names), person)
