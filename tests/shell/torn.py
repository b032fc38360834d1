"""A journal's file as a crash leaves it: copied in the middle of a commit, or between two."""

import shutil
import sqlite3
from pathlib import Path

from stream.journal.groups import Group
from stream.journal.store import Store


class Torn(Store):
    """A file whose next commit breaks off when all is written but not committed."""

    image: Path | None = None  # where the file's state at that moment is copied to

    def _write(self, connection: sqlite3.Connection, group: Group, utc: float) -> None:
        super()._write(connection, group, utc)
        if self.image is not None:
            copy(self.path, self.image)
            self.image = None
            raise sqlite3.OperationalError("disk I/O error")


def copy(path: Path, image: Path) -> None:
    """Copy the file as a kill would leave it, with what is in its log."""
    image.parent.mkdir()
    for end in ("", "-wal"):
        if Path(f"{path}{end}").exists():
            shutil.copy(f"{path}{end}", f"{image}{end}")
