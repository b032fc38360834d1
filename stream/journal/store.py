"""The journal's file: SQLite, written a group at a time. Blocks; knows no thread and no task."""

import fcntl
import os
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from stream import config
from stream.errors import ConfigError, JournalError
from stream.journal.entries import PREDICTION, Entry
from stream.journal.groups import DeviceRow, Group, SessionRow
from stream.journal.pruning import prune
from stream.journal.records import decode_inputs, encode

VERSION = 1  # of the tables, in `user_version`
BUSY_S = 1.0  # how long another program's lock is waited for
PRUNE_S = 5.0  # between two prunings
_COLUMNS = """position INTEGER PRIMARY KEY, id TEXT NOT NULL, device TEXT NOT NULL,
    session TEXT NOT NULL, opened INTEGER NOT NULL, type TEXT NOT NULL,
    published REAL NOT NULL, time REAL NOT NULL, text TEXT NOT NULL"""
_TABLES = f"""
CREATE TABLE inputs (last INTEGER PRIMARY KEY, utc REAL NOT NULL, body BLOB NOT NULL);
CREATE TABLE sessions (opened INTEGER PRIMARY KEY, channel TEXT NOT NULL, device TEXT NOT NULL,
    session TEXT NOT NULL, covers INTEGER NOT NULL, state BLOB NOT NULL);
CREATE TABLE devices (name TEXT PRIMARY KEY, utc REAL NOT NULL, state BLOB NOT NULL);
CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE predictions ({_COLUMNS});
CREATE INDEX predictions_of ON predictions (device, position);
CREATE TABLE events ({_COLUMNS}, UNIQUE (id, opened));
CREATE INDEX events_of ON events (device, position);
PRAGMA user_version = {VERSION};
"""


class Numbers(NamedTuple):
    """The highest numbers given so far."""

    input: int
    position: int
    marks: dict[str, int]


class Store:
    """One journal file, open for writing. Every method raises JournalError."""

    def __init__(self, path: Path, options: config.Journal) -> None:
        self.path = path
        self._options = options
        self._pruned_at = 0.0
        self._inodes: dict[Path, tuple[int, int] | None] = {}  # of the file and its log
        self._files = (path, Path(f"{path.resolve()}-wal"))  # a link has no log beside it
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep the file for this process; raises ConfigError where another one has it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            claim = Path(f"{self.path.resolve()}-claim").open("w")  # noqa: SIM115  closed below
        except OSError as error:
            raise ConfigError(f"journal.path = {str(self.path)!r}: {error.strerror}") from error
        with claim:
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ConfigError(
                    f"journal.path = {str(self.path)!r}: another gaitway uses it; stop that one, "
                    "or give each a file of its own"
                ) from error
            yield

    def open(self) -> Numbers:
        """Open or make the file; return where the numbering goes on."""
        try:
            self._connection = self._connected()
            self._inodes = {}
            numbers = self._numbers(self._connection)
            self._check_there()
            return numbers
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise self._error(error) from error

    def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def commit(self, group: Group, needed: int, utc: float) -> None:
        """Write a group; after that it is durable. Nothing of it is written where this raises.

        Inputs from number `needed` on are kept; `utc` is the time, in s since 1970.
        """
        connection = self._opened()
        try:
            self._check_there()
            connection.execute("BEGIN IMMEDIATE")
            self._write(connection, group, utc)
            if utc - self._pruned_at >= PRUNE_S or utc < self._pruned_at:
                prune(connection, self._options, needed, utc)
                self._pruned_at = utc
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            with suppress(sqlite3.Error):
                connection.rollback()
            raise self._error(error) from error

    def sessions(self) -> list[SessionRow]:
        """Return where all live sessions stood, in order of their opening."""
        return [SessionRow(*row) for row in self._rows("SELECT * FROM sessions ORDER BY opened")]

    def devices(self) -> list[DeviceRow]:
        """Return the devices known, those longest away first."""
        return [DeviceRow(*row) for row in self._rows("SELECT * FROM devices ORDER BY utc")]

    def inputs(self, after: int) -> Iterator[tuple[int, int, bytes]]:
        """Yield number, session and record of the inputs after a number, in order."""
        found = "SELECT last, body FROM inputs WHERE last > ? ORDER BY last"
        for last, body in self._rows(found, after):
            records = decode_inputs(body)
            for number, (opened, record) in enumerate(records, last - len(records) + 1):
                if number > after:
                    yield number, opened, record

    def predictions(self, device: str, opened: int) -> Generator[tuple[int, str]]:
        """Yield the windows of a session's predictions, and their texts, newest first."""
        found = (
            "SELECT id, text FROM predictions WHERE device = ? AND opened = ? "
            "ORDER BY position DESC"
        )
        for id_, text in self._rows(found, device, opened):
            yield int(id_.rpartition("/")[2]), text

    def events(self, device: str, opened: int) -> Generator[tuple[str, str]]:
        """Yield ids and texts of a session's events, newest first."""
        found = "SELECT id, text FROM events WHERE device = ? AND opened = ? ORDER BY position DESC"
        yield from self._rows(found, device, opened)

    def _rows(self, sql: str, *values: object) -> Generator[tuple[Any, ...]]:
        try:
            yield from self._opened().execute(sql, values)
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise JournalError(f"{self.path}: is not open")
        return self._connection

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._options.synchronous}")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
                connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
            elif version != VERSION:
                raise JournalError(
                    f"{self.path}: is no journal of this version ({version}, not {VERSION}); "
                    "move it away, or set journal.path"
                )
        except BaseException:
            connection.close()
            raise
        return connection

    def _numbers(self, connection: sqlite3.Connection) -> Numbers:
        newest = "SELECT max({}) FROM {}"
        inputs = connection.execute(newest.format("last", "inputs")).fetchone()[0]
        covers = connection.execute(newest.format("covers", "sessions")).fetchone()[0]
        positions = [
            connection.execute(newest.format("position", table)).fetchone()[0]
            for table in ("events", "predictions")
        ]
        marks = dict(connection.execute("SELECT name, value FROM marks").fetchall())
        return Numbers(
            # A mark may be of an entry that was entered before, under a lower position.
            max(inputs or 0, covers or 0),
            max([0, *filter(None, positions), *marks.values()]),
            marks,
        )

    def _check_there(self) -> None:
        """Raise where file or log was removed or replaced: what is written would be lost."""
        for path in self._files:
            found = path.stat() if path.exists() else None
            inode = (found.st_dev, found.st_ino) if found else None
            if self._inodes.setdefault(path, inode) != inode:
                what = "replaced" if found else "removed"
                raise JournalError(f"{path}: was {what} while in use; restart gaitway")

    def _write(self, connection: sqlite3.Connection, group: Group, utc: float) -> None:
        if group.inputs:
            last = group.first + len(group.inputs) - 1
            body = encode(group.inputs)
            connection.execute("INSERT INTO inputs VALUES (?, ?, ?)", (last, utc, body))
        rows = [row for row in group.sessions.values() if row is not None]
        over = [(opened,) for opened, row in group.sessions.items() if row is None]
        devices, marks = group.devices.values(), group.marks.items()
        connection.executemany("REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.executemany("DELETE FROM sessions WHERE opened = ?", over)
        connection.executemany("REPLACE INTO devices VALUES (?, ?, ?)", devices)
        # Whoever streams is known, however long ago something of it changed.
        streaming = [(utc, row.device) for row in rows]
        connection.executemany("UPDATE devices SET utc = max(utc, ?) WHERE name = ?", streaming)
        connection.executemany("REPLACE INTO marks VALUES (?, ?)", marks)
        places = ", ".join("?" * len(Entry._fields))
        predictions = [entry for entry in group.entries if entry.type == PREDICTION]
        events = [entry for entry in group.entries if entry.type != PREDICTION]
        connection.executemany(f"INSERT INTO predictions VALUES ({places})", predictions)  # noqa: S608
        # What is published again after a crash has its place already.
        connection.executemany(f"INSERT OR IGNORE INTO events VALUES ({places})", events)  # noqa: S608

    def _error(self, error: Exception) -> JournalError:
        if isinstance(error, JournalError):
            return error
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        return JournalError(f"{self.path}: {why}")
