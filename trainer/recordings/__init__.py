"""Recordings of every known data set: a module a format, a line each in `FORMATS`.

A folder of one's own recordings has its formats in `own.DIALECTS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import DataError, MissingError
from trainer.recordings import motionsense, own, wisdm_2019, wisdm_v1
from trainer.recordings.locate import cache_folder, locate
from trainer.recordings.recording import ACTIVITIES, LoadReport, Recording

Loader = Callable[[Path | None], tuple[list[Recording], LoadReport]]


@dataclass(frozen=True, slots=True)
class Format:
    """How to load a data set, what its files are called, and its name for `gaitway data get`."""

    load: Loader
    files: tuple[str, ...]
    get: str


FORMATS: dict[str, Format] = {
    motionsense.NAME: Format(motionsense.load, motionsense.FILES, motionsense.GET),
    wisdm_2019.NAME: Format(wisdm_2019.load, wisdm_2019.FILES, wisdm_2019.GET),
    wisdm_v1.NAME: Format(wisdm_v1.load, wisdm_v1.FILES, wisdm_v1.GET),
}

__all__ = [
    "ACTIVITIES",
    "FORMATS",
    "DataError",
    "Format",
    "LoadReport",
    "Loader",
    "MissingError",
    "Recording",
    "cache_folder",
    "locate",
    "own",
]
