"""Reads text members of a zip file, a tar.gz file, or a folder alike."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from trainer.errors import DataError


def members(path: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of each member whose path ends like `pattern`, in order of name.

    Raises DataError where the archive is damaged.
    """
    try:
        yield from _members(path, pattern)
    except (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def texts(path: Path, pattern: str) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of each such member.

    Bytes that are not UTF-8 are replaced: the record that holds them is left to its parser.
    """
    for name, content in members(path, pattern):
        yield name, content.decode("utf-8-sig", errors="replace")


def _members(path: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        return _folder(path, pattern)
    if path.suffix.casefold() == ".zip":
        return _zip(path, pattern)
    return _tar(path, pattern)


def _matches(name: str, pattern: str) -> bool:
    return fnmatch(name, pattern) or fnmatch(name, f"*/{pattern}")


def _folder(path: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    for file in sorted(path.rglob(Path(pattern).name)):
        if file.is_file() and _matches(file.relative_to(path.parent).as_posix(), pattern):
            yield file.relative_to(path).as_posix(), file.read_bytes()


def _zip(path: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if _matches(name, pattern) and not name.startswith("__MACOSX"):
                yield name, archive.read(name)


def _tar(path: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            file = archive.extractfile(member) if _matches(member.name, pattern) else None
            if file is not None:
                yield member.name, file.read()
