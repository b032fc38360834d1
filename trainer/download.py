"""Brings recordings into the user's cache: from the publisher, or from a copy on this machine.

What the publisher has a checksum for is held against it before it gets its place.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from trainer.errors import DataError
from trainer.progress import console
from trainer.recordings import FORMATS, Format, wisdm_v1

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Publisher:
    """Where an archive is, and the git blob ids of its complete copies, packed or not."""

    url: str
    archives: tuple[str, ...]
    raws: tuple[str, ...]


WISDM_LAB = Publisher(
    url="https://www.cis.fordham.edu/wisdm/includes/datasets/latest/WISDM_ar_latest.tar.gz",
    archives=("4f97f6dfdef499b201f4ffa0303ee63de841b502",),
    raws=(
        "f448b1ec15898a77f47f49d85e98ae1bde83185c",
        "e1380a4b814339af38a662a0c5cbd6a6b6f68789",
    ),
)


def get(name: str, source: Path | None, cache: Path, partial: bool) -> Path:
    """Put the data set that `gaitway data get` calls `name` into `cache`; return its place.

    `source` is a copy on this machine; only WISDM v1.1 can do without. Raises DataError for an
    unknown name, a failed download, or a file that is not what it should be.
    """
    kinds = {kind.get: kind for kind in FORMATS.values()}
    if name not in kinds:
        raise DataError(f"{name}: unknown data set; there are {', '.join(sorted(kinds))}")
    if name == wisdm_v1.GET:
        return get_wisdm(source, cache, partial, WISDM_LAB)
    if source is None:
        raise DataError(
            f"{name}: has no address with a checksum to download from; get {kinds[name].files[0]} "
            "from its publisher and give it with --from PATH"
        )
    return _copy(kinds[name], source, cache)


def get_wisdm(source: Path | None, cache: Path, partial: bool, publisher: Publisher) -> Path:
    """Put the raw file of WISDM v1.1 into `cache`, out of its archive, once its blob id fits.

    `partial` takes any file that holds records.
    """
    if source is None:
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "WISDM_ar_latest.tar.gz"
            download(publisher.url, archive)
            return get_wisdm(archive, cache, partial, publisher)
    if not source.exists():
        raise DataError(f"{source}: there is no such file")
    raw = wisdm_v1.raw_bytes(source)
    _check(source, raw, partial, publisher)
    cache.mkdir(parents=True, exist_ok=True)
    return _replace(cache / wisdm_v1.RAW, lambda place: place.write_bytes(raw))


def _check(source: Path, raw: bytes, partial: bool, publisher: Publisher) -> None:
    found = blob_id(raw)
    packed = blob_id(source.read_bytes()) if source.is_file() else ""
    if found in publisher.raws or packed in publisher.archives:
        return
    if not partial:
        raise DataError(
            f"{source}: {wisdm_v1.RAW} has the git blob id {found}, the complete file has "
            f"{' or '.join(publisher.raws)}; --allow-partial takes it as it is"
        )
    wisdm_v1.load_table(source)


def blob_id(content: bytes) -> str:
    """Return what `git hash-object` prints for a file of this content."""
    head = b"blob %d\0" % len(content)
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


def download(url: str, place: Path) -> None:
    """Fetch `url` into `place` under a progress bar; nothing is left there if it fails."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=console) as progress:
        task = progress.add_task(place.name, total=None)

        def receive(part: Path) -> None:
            with (
                httpx.stream("GET", url, follow_redirects=True, timeout=TIMEOUT_S) as response,
                part.open("wb") as file,
            ):
                response.raise_for_status()
                total = int(response.headers.get("content-length", 0)) or None
                for chunk in response.iter_raw():
                    file.write(chunk)
                    progress.update(task, advance=len(chunk), total=total)

        try:
            _replace(place, receive)
        except httpx.HTTPError as error:
            raise DataError(f"{url}: download failed: {error}") from error


def _copy(kind: Format, source: Path, cache: Path) -> Path:
    """Copy a data set once it is known to load; the files are too big to check otherwise."""
    if not source.exists():
        raise DataError(f"{source}: there is no such file or folder")
    kind.load(source)
    cache.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        return _replace(cache / kind.files[0], lambda place: shutil.copyfile(source, place))
    place = cache / kind.files[1]
    shutil.copytree(source, place, dirs_exist_ok=True)
    return place


def _replace(place: Path, write: Callable[[Path], object]) -> Path:
    """Write beside `place` and move there at the end, so that it is never half a file."""
    part = place.with_name(place.name + ".part")
    try:
        write(part)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
    return place
