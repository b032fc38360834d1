"""Walks folders and zip files alike: what texts are in each, and what is around them called."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from trainer.errors import DataError
from trainer.recordings.archive import members

SUFFIXES = (".csv", ".tsv", ".txt", ".json")
# The same for members of a zip file, where upper case is another name.
PATTERNS = ["*" + "".join(f"[{char}{char.upper()}]" for char in suffix) for suffix in SUFFIXES]

Texts = Mapping[str, str]  # the files of one folder, by name


@dataclass(frozen=True, slots=True)
class Place:
    """A folder, on disk or in a zip file: its texts, and the names around it, nearest first.

    `itself` is the folder's own name, if it is below the one to load, and `above` are those
    between; `around` has all of them, the zip file, and the one to load.
    """

    path: PurePosixPath
    texts: Texts
    itself: tuple[str, ...]
    above: tuple[str, ...]
    around: tuple[str, ...]


def places(folder: Path, faults: list[str]) -> Iterator[Place]:
    """Yield the folder, which may be a single file, and all folders and zip files below it.

    What can't be read is left out, and added to `faults` by its name and reason.
    """
    for path in _paths(folder):
        yield from _places(path, folder, faults)


def _paths(folder: Path) -> Iterator[Path]:
    """Yield the folder, those below it, and all zip files, in order; or a single file."""
    yield folder
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and (path.is_dir() or _is_zip(path)):
            yield path


def _is_zip(path: Path) -> bool:
    return path.suffix.casefold() == ".zip" and path.is_file()


def _places(path: Path, root: Path, faults: list[str]) -> list[Place]:
    """Return a folder as a place, or one for each folder in a zip file."""
    top = root if root.is_dir() else root.parent
    inner = PurePosixPath(path.relative_to(top))
    if _is_zip(path):
        packed = _unzip(path, str(inner), faults)
        return [_place(inner, folder, texts, top) for folder, texts in packed.items()]
    if path.is_file():
        return [_place(inner.parent, None, _read([path], top, faults), top)]
    return [_place(inner, None, _read(_files(path, top, faults), top, faults), top)]


def _place(path: PurePosixPath, packed: PurePosixPath | None, texts: Texts, top: Path) -> Place:
    """Name a folder, or the folder `packed` in the zip file at `path`."""
    outer = path.parts if packed is None else path.parts[:-1]
    zipped = () if packed is None else (path.stem,)
    inside = () if packed is None else packed.parts
    folders = (*outer, *inside)
    itself = folders[-1:] if packed is None or inside else ()  # flat in a zip file: none
    above = folders[: len(folders) - len(itself)]
    around = (top.resolve().name, *outer, *zipped, *inside)
    whole = path if packed is None else path / packed
    return Place(whole, texts, itself, above[::-1], around[::-1])


def _is_text(name: str) -> bool:
    return name.casefold().endswith(SUFFIXES) and not PurePosixPath(name).name.startswith(".")


def _files(folder: Path, top: Path, faults: list[str]) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file() and _is_text(path.name))
    except OSError as error:
        faults.append(f"{folder.relative_to(top)}: cannot be read: {error.strerror}")
        return []


def _read(files: list[Path], top: Path, faults: list[str]) -> dict[str, str]:
    texts = {}
    for file in files:
        try:
            texts[file.name] = _decode(file.read_bytes())
        except OSError as error:
            faults.append(f"{file.relative_to(top)}: cannot be read: {error.strerror}")
    return texts


def _unzip(path: Path, name: str, faults: list[str]) -> dict[PurePosixPath, dict[str, str]]:
    """Return the texts of each folder in a zip file; none if it is damaged."""
    found: dict[PurePosixPath, dict[str, str]] = {}
    try:
        for member, content in chain.from_iterable(members(path, one) for one in PATTERNS):
            inside = PurePosixPath(member)
            if _is_text(member):
                found.setdefault(inside.parent, {})[inside.name] = _decode(content)
    except DataError as error:
        faults.append(str(error).replace(str(path), name, 1))
        return {}
    except RuntimeError as error:  # it needs a password, or was packed in an unusual way
        faults.append(f"{name}: cannot be read: {error}")
        return {}
    if not found:
        faults.append(f"{name}: holds none of {', '.join(SUFFIXES)}")
    return found


def _decode(content: bytes) -> str:
    """Return text; Excel saves "Unicode text" as UTF-16. Other bytes than UTF-8 are replaced."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    return content.decode("utf-8-sig", errors="replace")
