"""Reads the history in the journal's file. Blocks; writes nothing."""

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from stream.errors import JournalError
from stream.journal.entries import ACTIVITY, PREDICTION, Entry, Query

PAGE = 1000  # entries read at once
TABLES = {ACTIVITY: "events", PREDICTION: "predictions"}


class Archive:
    """One file, open for reading; a method raises JournalError where it can't be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def rows(self, after: int, until: int, query: Query) -> list[Entry]:
        """Return up to PAGE entries in `(after, until]`, in order, that may match `query`.

        Fewer than PAGE mean that there are no more. Not all of a query is looked at here, only
        what an index, or a look at a row, finds quickly.
        """
        where, values = ["position > ?", "position <= ?"], [after, until]
        if query.devices:
            where.append(f"device IN ({', '.join('?' * len(query.devices))})")
        bounds = {"time >= ?": query.start, "time < ?": query.end}
        where += [test for test, bound in bounds.items() if bound]
        times = [bound.timestamp() for bound in bounds.values() if bound]
        given = [*values, *sorted(query.devices), *times]
        each = [
            f"SELECT * FROM {table} WHERE {' AND '.join(where)}"  # noqa: S608  values are bound
            for table in self._tables(query)
        ]
        sql = f"{' UNION ALL '.join(each)} ORDER BY position LIMIT {PAGE}"
        return [Entry(*row) for row in self._fetched(sql, *given * len(each))]

    def position_of(self, id_: str) -> int | None:
        """Return the newest position of an id."""
        device = id_.partition("/")[0]
        found = "SELECT position FROM {} WHERE device = ? AND id = ? ORDER BY position DESC LIMIT 1"
        places = [self._fetched(found.format(table), device, id_) for table in TABLES.values()]
        return max((int(row[0]) for rows in places for row in rows), default=None)

    def pruned(self, query: Query) -> int:
        """Return the newest position that is gone of the types that are asked for."""
        names = [f"pruned {table}" for table in self._tables(query)]
        marks = dict(self._fetched("SELECT name, value FROM marks"))
        return max(int(marks.get(name, 0)) for name in names)

    def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _tables(self, query: Query) -> list[str]:
        return [TABLES[kind] for kind in sorted(query.types & TABLES.keys() or TABLES)]

    def _fetched(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            if self._connection is None:
                uri = f"{self._path.resolve().as_uri()}?mode=ro"
                self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise JournalError(f"{self._path}: {error}") from error
