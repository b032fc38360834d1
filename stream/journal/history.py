"""The published predictions and activity events that the journal keeps, paged through.

What is not committed yet comes from memory, so that nothing published is ever missing.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from stream.events import ActivityEvent, Prediction
from stream.journal.archive import PAGE, Archive
from stream.journal.entries import ACTIVITY, PREDICTION, Entry, Query
from stream.journal.journal import Journal

_POSITION = re.compile(r"\d{1,18}")

T = TypeVar("T")


class Part(NamedTuple):
    """Some of the history, in order."""

    entries: list[Entry]
    reached: int  # position up to which these are all
    last: bool  # nothing follows
    gone: int  # how many were before these at most, and were pruned


class History:
    """Reads by a thread of its own, so that no commit waits; methods raise JournalError."""

    def __init__(self, journal: Journal, utc: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._utc = utc
        self._archive: Archive | None = None  # opened by who reads first
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="history")

    def add(self, message: Prediction | ActivityEvent, text: str, opened: int) -> None:
        """Keep a message published by the session whose first input has the number `opened`."""
        kind = PREDICTION if isinstance(message, Prediction) else ACTIVITY
        of = (message.id, message.device, message.session, opened)
        when = (self._utc(), message.time.timestamp())
        self._journal.put_entry(lambda position: Entry(position, *of, kind, *when, text))

    @property
    def newest(self) -> int:
        """Position of the newest entry."""
        return self._journal.position

    async def place(self, after: str, query: Query) -> int | None:
        """Return the position that `after` (an id, a position, or empty: the beginning) names.

        None where it is not kept, or where what is asked for was pruned after it.
        """
        if _POSITION.fullmatch(after) or not after:
            position: int | None = int(after or 0)
        else:
            position = await self._position_of(after)
        if position is None or position > self.newest:
            return None
        return position if position >= await self.pruned(query) else None

    async def pruned(self, query: Query) -> int:
        """Return the newest position that is gone of the types that are asked for."""
        return await self._read(lambda archive: archive.pruned(query))

    async def pages(self, after: int, query: Query, until: int) -> AsyncIterator[list[Entry]]:
        """Yield what is asked for in `(after, until]`, in order, some at a time."""
        while page := await self.page(after, query, PAGE, until):
            yield page
            after = page[-1].position

    async def page(self, after: int, query: Query, limit: int, until: int) -> list[Entry]:
        """Return the first `limit` entries in `(after, until]` that are asked for."""
        committed, tail = self._journal.tail()
        found: list[Entry] = []
        more = True
        while more and len(found) < limit:
            rows = await self._rows(after, min(until, committed), query)
            found += filter(query.matches, rows)
            more = len(rows) == PAGE
            after = rows[-1].position if rows else after
        found += [e for e in tail if after < e.position <= until and query.matches(e)]
        return found[:limit]

    async def following(self, after: int) -> Part:
        """Return what follows a position, about a page of it."""
        until = self.newest
        entries = await self.page(after, Query(), PAGE, until)
        pruned = await self.pruned(Query())
        reached = entries[-1].position if len(entries) == PAGE else until
        kept = sum(entry.position <= pruned for entry in entries)
        gone = max(min(pruned, reached) - after, 0) - kept
        committed, tail = self._journal.tail()
        last = reached == until and committed <= until
        if last:  # and what came meanwhile is in memory
            entries += [entry for entry in tail if entry.position > until]
            reached = self.newest
        return Part(entries, reached, last, gone)

    def close(self) -> None:
        """Close the file."""
        self._thread.shutdown()
        if self._archive is not None:
            self._archive.close()

    async def _position_of(self, id_: str) -> int | None:
        _, tail = self._journal.tail()
        newest = (entry.position for entry in reversed(tail) if entry.id == id_)
        found = next(newest, None)
        return found or await self._read(lambda archive: archive.position_of(id_))

    async def _rows(self, after: int, until: int, query: Query) -> list[Entry]:
        if after >= until:
            return []
        return await self._read(lambda archive: archive.rows(after, until, query))

    async def _read(self, read: Callable[[Archive], T]) -> T:
        if self._archive is None:
            self._archive = Archive(self._journal.path)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, read, self._archive)
