"""Brings together the recordings of every data set that is found, without the people held out."""

from collections.abc import Iterator
from pathlib import Path

from trainer.errors import DataError, MissingError
from trainer.people import may_train
from trainer.progress import say
from trainer.recordings import FORMATS, Recording


def load(data: Path | None) -> Iterator[tuple[str, list[Recording]]]:
    """Yield each data set's name and recordings, of all words, of people who may be trained on.

    `data` is the folder that holds them; None means where `locate` looks. Raises DataError if it
    is a file, and MissingError if no data set is found.
    """
    if data is not None and data.is_file():
        raise DataError(f"{data}: is a file; give the folder that holds the data sets")
    missing = []
    for name, kind in FORMATS.items():
        try:
            recordings, counts = kind.load(data)
        except MissingError as error:
            missing.append(str(error))
            continue
        say(f"{name}: " + "\n".join(counts.lines()))
        yield name, [item for item in recordings if may_train(item)]
    if len(missing) == len(FORMATS):
        raise MissingError("; ".join(missing))
    for line in missing:
        say(f"goes on without it: {line}")
