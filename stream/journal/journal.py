"""What must survive a crash is committed in groups, by a thread of its own; what waits for it runs.

Knows no session: `records` says what is kept, `store` how it lies in the file.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from stream import config
from stream.errors import JournalError, NotDurableError
from stream.journal.entries import Entry
from stream.journal.groups import DeviceRow, Group, SessionRow
from stream.journal.records import AnyInput, encode
from stream.journal.store import Numbers, Store
from stream.metrics import Metrics

RETRY_S = 1.0  # between attempts to write what could not be written
SLOW_S = 5.0  # a disk that takes so long for a commit hangs, and that is said
log = logging.getLogger(__name__)


class Journal:
    """Takes what is to be kept, at once, and says later that it is durable.

    `group` is the number of the commit that takes what comes now, `durable` that of the last one
    that was written. `needed` is the number of the oldest input that no snapshot covers.
    """

    def __init__(
        self,
        options: config.Journal,
        metrics: Metrics,
        utc: Callable[[], float] = time.time,
    ) -> None:
        self.group, self.durable = 1, 0
        self.opened = False
        self.problem: str | None = "the journal is not open yet"
        self.needed: Callable[[], int] = lambda: self.next_input
        self.before_commit: Callable[[], None] = lambda: None
        self._options = options
        self._metrics = metrics
        self._utc = utc
        self.store = Store(Path(options.path), options)
        self._group, self._writing = Group(1), Group(1)
        self.marks: dict[str, int] = {}  # as they were when the file was opened
        self._position = 0
        self._committed_position = 0
        self._then: defaultdict[int, list[Callable[[], None]]] = defaultdict(list)
        self._waiters: dict[asyncio.Future[None], int] = {}
        self._some = asyncio.Event()
        self.tried = asyncio.Event()  # to open the file

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Have the file to ourselves; raises ConfigError where another process has it."""
        with ExitStack() as held:
            if not self._options.path:
                folder = held.enter_context(TemporaryDirectory(prefix="gaitway-"))
                self.store = Store(Path(folder, "journal.db"), self._options)
            held.enter_context(self.store.claimed())
            yield

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self.store.path

    @property
    def lasts(self) -> bool:
        """Whether the file is there for the next start."""
        return bool(self._options.path)

    def open(self) -> Numbers:
        """Open the file; raises JournalError."""
        numbers = self.store.open()
        self._group = Group(numbers.input + 1)
        self.marks = numbers.marks
        self._position = self._committed_position = numbers.position
        self.opened, self.problem = True, None
        return numbers

    @property
    def next_input(self) -> int:
        """The number that the next input gets."""
        return self._group.first + len(self._group.inputs)

    @property
    def position(self) -> int:
        """Of the newest entry of the history."""
        return self._position

    @property
    def waiting(self) -> int:
        """How many inputs are not durable."""
        return len(self._group.inputs) + len(self._writing.inputs)

    def check_open(self) -> None:
        """Raise NotDurableError as long as what the file holds is not known."""
        if not self.opened:
            raise NotDurableError(f"{self.problem}; try later")

    def check_room(self) -> None:
        """Raise NotDurableError where nothing can be taken now."""
        if self.problem is not None:
            raise NotDurableError(f"{self.problem}; try later")
        if self.waiting >= self._options.max_queue:
            raise NotDurableError(f"{self.waiting} frames wait for the disk; try later")

    def put(self, opened: int, what: AnyInput) -> int:
        """Keep an input of the session whose first one has the number `opened`; return its own."""
        self._group.inputs.append((opened, encode(what)))
        self._some.set()
        return self.next_input - 1

    def put_session(self, row: SessionRow) -> None:
        """Keep where a session stands."""
        self._group.sessions[row.opened] = row
        self._some.set()

    def end_session(self, opened: int) -> None:
        """Forget a session: it is over."""
        self._group.sessions[opened] = None
        self._some.set()

    def put_device(self, row: DeviceRow) -> None:
        """Keep what is known of a device."""
        self._group.devices[row.name] = row
        self._some.set()

    def put_mark(self, name: str, value: int) -> None:
        """Keep a number under a name."""
        self._group.marks[name] = value
        self._some.set()

    def put_entry(self, make: Callable[[int], Entry]) -> None:
        """Keep an entry of the history, made from its position."""
        self._position += 1
        self._group.entries.append(make(self._position))
        self._some.set()

    def tail(self) -> tuple[int, list[Entry]]:
        """Return the position up to which entries are in the file, and those that are not yet."""
        return self._committed_position, [*self._writing.entries, *self._group.entries]

    def then(self, group: int, call: Callable[[], None]) -> None:
        """Call once that commit is durable, in the order of commits; at once where it is."""
        if group <= self.durable:
            call()
        else:
            self._then[group].append(call)

    async def committed(self, group: int) -> None:
        """Wait until that commit is durable; raises NotDurableError where it fails for now."""
        if group <= self.durable:
            return
        if self.problem is not None:
            raise NotDurableError(self.problem)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = group
        try:
            await waiter
        finally:
            del self._waiters[waiter]

    async def flush(self) -> None:
        """Wait until everything is durable; raises NotDurableError where that fails for now."""
        while self._group or self._writing:
            await self.committed(self.group if self._group else self.group - 1)

    async def run(self, recover: Callable[[], None]) -> None:
        """Open the file, let `recover` read it, and write groups until cancelled."""
        with ThreadPoolExecutor(1, thread_name_prefix="journal") as thread:
            try:
                await self._open(recover)
                while True:
                    await self._some.wait()
                    await asyncio.sleep(self._options.commit_ms / 1000)
                    await self._commit(thread)
            finally:
                thread.shutdown()
                self.store.close()

    async def _open(self, recover: Callable[[], None]) -> None:
        while True:
            try:
                self.open()
                recover()
            except JournalError as error:
                self.opened = False
                self.store.close()
                self._failed(error)
                await asyncio.sleep(RETRY_S)
            else:
                return
            finally:
                self.tried.set()

    async def _commit(self, thread: ThreadPoolExecutor) -> None:
        self.before_commit()
        self._some.clear()
        self._writing, self._group = self._group, Group(self.next_input)
        self.group += 1
        needed = self.needed()  # by this group's states, not by those that come while it is tried
        while not await self._written(thread, needed):  # noqa: ASYNC110  no disk says that it has room
            await asyncio.sleep(RETRY_S)
        if self._writing.entries:
            self._committed_position = self._writing.entries[-1].position
        self._writing = Group(self._group.first)
        self.durable = self.group - 1
        self.problem = None
        for call in self._then.pop(self.durable, ()):
            call()
        for waiter, group in self._waiters.items():
            if group <= self.durable and not waiter.done():
                waiter.set_result(None)

    async def _written(self, thread: ThreadPoolExecutor, needed: int) -> bool:
        loop, commit = asyncio.get_running_loop(), self.store.commit
        try:
            with self._metrics.journal_commit.time():
                utc = self._utc()
                writing = loop.run_in_executor(thread, commit, self._writing, needed, utc)
                if not (await asyncio.wait([writing], timeout=SLOW_S))[0]:
                    self._failed(JournalError(f"{self.path}: no commit ends within {SLOW_S:g} s"))
                await writing
        except JournalError as error:
            self._failed(error)
            return False
        return True

    def _failed(self, error: JournalError) -> None:
        """Tell everyone who waits, and the log once."""
        if str(error) != self.problem:
            log.error("nothing is acked until the journal can be written: %s", error)
        self.problem = str(error)
        self._metrics.journal_failures.inc()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(NotDurableError(self.problem))
