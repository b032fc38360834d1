"""Finds a data set's file: a path given, the folder in GAITWAY_DATA, or the user's cache."""

import os
from pathlib import Path

from stream.errors import ConfigError
from trainer.errors import MissingError


def cache_folder() -> Path:
    """Return the folder that `gaitway data get` fills, the same on every platform."""
    return Path.home() / ".cache" / "gaitway"


def locate(names: tuple[str, ...], path: Path | None, get: str) -> Path:
    """Return the first of `names` that exists; `path` may be the file itself or its folder.

    `get` is the name under which `gaitway data get` knows the data set. Raises MissingError, which
    names every folder searched, and ConfigError as `default_folders` does.
    """
    if path is not None and path.name in names and path.exists():
        return path
    if path is not None and path.is_file():
        return path
    folders = [path] if path is not None else default_folders()
    for folder in folders:
        for name in names:
            if (folder / name).exists():
                return folder / name
    where = ", ".join(str(folder) for folder in folders)
    raise MissingError(f"no {names[0]} in {where}: get it with `gaitway data get {get}`")


def default_folders() -> list[Path]:
    """Return where recordings are looked for when no path is given.

    Raises ConfigError where GAITWAY_DATA names no folder.
    """
    named = os.environ.get("GAITWAY_DATA")
    if named and not Path(named).is_dir():
        raise ConfigError(
            f"GAITWAY_DATA = {named!r}: there is no such folder; name the one with the recordings, "
            "or unset it: `gaitway data get wisdm` fetches some into ~/.cache/gaitway"
        )
    return ([Path(named)] if named else []) + [cache_folder()]
