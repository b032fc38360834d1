"""The journal against lists in memory: what a commit said is durable is there after any end."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from stream import config
from stream.journal.entries import ACTIVITY, PREDICTION, Entry, Query
from stream.journal.groups import DeviceRow, Group, SessionRow
from stream.journal.history import History
from stream.journal.journal import Journal
from stream.journal.records import RefusedInput, encode
from stream.journal.store import PRUNE_S
from stream.metrics import Metrics
from tests.core.test_session_machine import drawn
from tests.shell.torn import Torn, copy

DEVICES = st.sampled_from(["a", "b", "c"])
KEPT_S = {PREDICTION: 3600.0, ACTIVITY: 86400.0}
FRAMES_S = 60.0
OPTIONS = config.Journal(
    synchronous="OFF", keep_frames_s=FRAMES_S, keep_predictions_h=1, keep_events_days=1
)
KINDS = st.sampled_from([*KEPT_S])
STEPS_S = st.sampled_from([0.1, 1.0, 6.0, 61.0, 3601.0, 90_000.0])


class Batch(NamedTuple):
    """The inputs of one commit."""

    utc: float
    bodies: dict[int, bytes]  # by number


class Kept(RuleBasedStateMachine):
    """`batches`, `entries`, `sessions` and `devices` are what was said to be durable."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.thread = ThreadPoolExecutor(1)
        self.runner = asyncio.Runner()
        self.now, self.needed, self.files = 1.79e9, 1, 0
        self.batches: list[Batch] = []
        self.entries: list[Entry] = []
        self.gone = {PREDICTION: 0, ACTIVITY: 0}  # position up to which entries may be gone
        self.last_position = 0
        self.pruned_at: float | None = None
        self.sessions: dict[int, SessionRow] = {}
        self.devices: dict[str, DeviceRow] = {}
        self._open(Path(self.folder.name, "journal.db"))

    @rule(count=st.integers(1, 5))
    def put(self, count: int) -> None:
        for _ in range(count):
            number = self.journal.next_input
            assert self.journal.put(1, RefusedInput(number)) == number

    @rule(device=DEVICES, opened=st.integers(1, 3), over=st.booleans())
    def put_session(self, device: str, opened: int, over: bool) -> None:
        if over:
            self.journal.end_session(opened)
            return
        covers = self.journal.next_input - 1
        state = encode(covers)
        self.journal.put_session(SessionRow(opened, "http", device, "s", covers, state))
        self.journal.put_device(DeviceRow(device, self.now, state))

    @rule(kind=KINDS, device=DEVICES, count=st.integers(1, 4))
    def publish(self, kind: str, device: str, count: int) -> None:
        for _ in range(count):
            number = self.journal.position + 1
            of = (f"{device}/s/{number}", device, "s", number, kind, self.now, self.now, "text")
            self._enter(Entry(number, *of))

    @precondition(lambda self: any(entry.type == ACTIVITY for entry in self.entries))
    @rule(which=st.integers(0, 99))
    def publish_again(self, which: int) -> None:
        """An event that was published before a crash has its place already."""
        events = [entry for entry in self.entries if entry.type == ACTIVITY]
        self._enter(events[which % len(events)])

    @rule(seconds=STEPS_S, back=st.booleans())
    def clock_moves(self, seconds: float, back: bool) -> None:
        self.now += -seconds if back else seconds

    @rule()
    def all_is_covered(self) -> None:
        """States were saved: no input that is durable is needed any more."""
        self.needed = self._last_input + 1

    @rule(fails=st.booleans())
    def commit(self, fails: bool) -> None:
        """Write the group; where that fails, it is tried again until it succeeds."""
        group = self.journal._group
        if fails:
            self._tear()
        self.runner.run(self.journal._commit(self.thread))
        assert (self.journal.problem, self.journal.waiting) == (None, 0)
        self._remember(group)
        if self.pruned_at is None or not 0 <= self.now - self.pruned_at < PRUNE_S:
            self._prune()
            self.pruned_at = self.now

    @rule(kind=KINDS, device=DEVICES, seconds=st.sampled_from([61.0, 3601.0, 90_000.0]))
    def later_on(self, kind: str, device: str, seconds: float) -> None:
        """Something is kept, and grows old."""
        self.put(1)
        self.publish(kind, device, 2)
        self.commit(False)
        self.all_is_covered()
        self.now += seconds

    @rule(how=st.sampled_from(["stopped", "killed", "killed in a commit"]))
    def start_anew(self, how: str) -> None:
        """What waited is gone; killed in a commit, all of it was written already."""
        path = self.journal.path
        if how == "killed":
            path = self._image()
            copy(self.journal.path, path)
        elif how == "killed in a commit":
            path = self._tear()
            self.runner.run(self.journal._commit(self.thread))
        self.journal.store.close()
        self._open(path)

    @rule(limit=st.integers(1, 7), device=st.none() | DEVICES, kind=st.none() | KINDS)
    def page_through(self, limit: int, device: str | None, kind: str | None) -> None:
        """All pages together hold each entry that is kept, once, in order, committed or not."""
        query = Query(frozenset(filter(None, [device])), frozenset(filter(None, [kind])))
        history = History(self.journal, lambda: self.now)
        newest, after = history.newest, 0
        found: list[Entry] = []
        while page := self.runner.run(history.page(after, query, limit, newest)):
            assert len(page) <= limit
            found += page
            after = page[-1].position
        gone = max(self.gone[each] for each in query.types or KEPT_S)
        for position in {0, gone - 1, gone, newest} & {*range(newest + 1)}:
            place = self.runner.run(history.place(str(position), query))
            assert place == (None if position < gone else position)
        history.close()
        kept = [*self.entries, *self.journal._group.entries]
        assert found == [entry for entry in kept if query.matches(entry)]

    @invariant()
    def what_is_durable_is_there(self) -> None:
        store = self.journal.store
        inputs = [(number, body) for number, _, body in store.inputs(0)]
        assert inputs == [pair for batch in self.batches for pair in batch.bodies.items()]
        assert store.sessions() == [self.sessions[opened] for opened in sorted(self.sessions)]
        assert {row.name: row for row in store.devices()} == self.devices

    def teardown(self) -> None:
        self.journal.store.close()
        self.thread.shutdown()
        self.runner.close()
        self.folder.cleanup()

    @property
    def _last_input(self) -> int:
        return max(self.batches[-1].bodies) if self.batches else 0

    def _open(self, path: Path) -> None:
        """Open a file; numbers go on after those that are durable."""
        self.journal = Journal(msgspec.structs.replace(OPTIONS, path=str(path)), Metrics())
        self.journal._utc = lambda: self.now
        self.journal.needed = lambda: self.needed
        self.torn = self.journal.store = Torn(path, OPTIONS)
        self.pruned_at = None
        numbers = self.journal.open()
        assert (numbers.input, numbers.position) == (self._last_input, self.last_position)

    def _enter(self, entry: Entry) -> None:
        self.journal.put_entry(lambda position: entry._replace(position=position))

    def _image(self) -> Path:
        self.files += 1
        return Path(self.folder.name, f"{self.files}", "journal.db")

    def _tear(self) -> Path:
        self.torn.image = image = self._image()
        return image

    def _remember(self, group: Group) -> None:
        """Take a group that was said to be durable."""
        if group.inputs:
            bodies = {group.first + i: body for i, (_, body) in enumerate(group.inputs)}
            self.batches.append(Batch(self.now, bodies))
        rows = [row for row in group.sessions.values() if row is not None]
        self.sessions |= {row.opened: row for row in rows}
        for opened in group.sessions.keys() - {row.opened for row in rows}:
            self.sessions.pop(opened, None)
        self.devices |= group.devices
        for name in {row.device for row in rows} & self.devices.keys():
            known = self.devices[name]
            self.devices[name] = known._replace(utc=max(known.utc, self.now))
        for entry in group.entries:
            if entry.id not in {other.id for other in self.entries}:
                self.entries.append(entry)
                self.last_position = entry.position

    def _prune(self) -> None:
        """Forget what is too old, but the newest of each kind, which the numbering needs."""
        self.batches = [
            batch
            for batch in self.batches
            if abs(self.now - batch.utc) <= FRAMES_S
            or max(batch.bodies) >= min(self.needed, self._last_input)
        ]
        for kind, kept_s in KEPT_S.items():
            own = [entry for entry in self.entries if entry.type == kind]
            old = [entry for entry in own[:-1] if entry.published < self.now - kept_s]
            self.gone[kind] = max([self.gone[kind], *(entry.position for entry in old)])
            self.entries = [entry for entry in self.entries if entry not in old]
        streaming = {row.device for row in self.sessions.values()}
        self.devices = {
            name: row
            for name, row in self.devices.items()
            if name in streaming or row.utc >= self.now - KEPT_S[ACTIVITY]
        }


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.journal.journal.RETRY_S", 0)


def test_what_is_durable_stays() -> None:
    run_state_machine_as_test(Kept, settings=drawn(40))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_what_is_durable_stays_at_length() -> None:
    run_state_machine_as_test(Kept, settings=drawn(1500))
