"""The file of tokens: written in one piece, and read again as soon as it has changed."""

import contextlib
import fcntl
import logging
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stream.access import tokens
from stream.access.tokens import Book, May, Token
from stream.errors import ConfigError

log = logging.getLogger(__name__)
Stamp = tuple[int, int, int]
NOBODY = Book()


class TokenFile:
    """What a running server knows of the file.

    A file that was there once and is gone, or can't be read, lets nobody in: an accident never
    opens a server.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: Stamp | None = None
        self._book: Book | None = None

    def book(self) -> Book | None:
        """Return the tokens as they are now; None where there never was a file."""
        try:
            stamp = _stamp_of(self._path)
        except FileNotFoundError:
            return self._closed("is gone") if self._book is not None else None
        except OSError as error:
            return self._closed(f"cannot be read: {error.strerror}")
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._book = load(self._path)
            except ConfigError as error:
                log.error("%s; nobody is let in until that is mended", error)
                self._book = NOBODY
        return self._book

    def _closed(self, what: str) -> Book:
        if self._stamp is not None or self._book is None:
            log.error("%s: %s; nobody is let in until it is back", self._path, what)
        self._stamp, self._book = None, NOBODY
        return NOBODY


def load(path: Path) -> Book:
    """Read the file; raises ConfigError where that is impossible."""
    try:
        return tokens.read(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def add(path: Path, may: May, name: str = "", lasts: timedelta | None = None) -> tuple[str, Token]:
    """Make a token; return its text, which is nowhere else, and what is kept of it.

    Raises ConfigError where the file can't be written.
    """
    now = datetime.now(UTC)
    random = os.urandom(tokens.ID_BYTES + tokens.SECRET_BYTES)
    ends = None if lasts is None else now + lasts
    shown, token = tokens.mint(random, may, name, now.replace(microsecond=0), ends)
    with changing(path) as books:
        books[0] = Book([*books[0], token])
    return shown, token


@contextlib.contextmanager
def changing(path: Path) -> Iterator[list[Book]]:
    """Yield a list of the book as it is; what the list holds in the end is written.

    Only one process at a time gets here. Raises ConfigError where the file can't be written.
    """
    try:
        with path.with_name(f"{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            books = [load(path) if path.exists() else Book()]
            yield books
            _replace(path, tokens.write(books[0]))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error


def _replace(path: Path, content: bytes) -> None:
    """Put new content in the file's place, with the owner and rights that the file had."""
    made, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # for its owner only
    try:
        with os.fdopen(made, "wb") as file:
            file.write(content)
            file.flush()
            if path.exists():
                before = path.stat()
                os.fchmod(made, before.st_mode & 0o777)
                with contextlib.suppress(PermissionError):
                    os.fchown(made, before.st_uid, before.st_gid)
            os.fsync(made)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _stamp_of(path: Path) -> Stamp:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
