"""Group commits: what waits for one hears of it, in order; a failure is said, and passes."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from stream import config
from stream.errors import JournalError, NotDurableError
from stream.journal.entries import PREDICTION, Entry
from stream.journal.groups import Group
from stream.journal.journal import Journal
from stream.journal.records import RefusedInput
from stream.journal.store import Store
from stream.metrics import Metrics


class Flaky(Store):
    """A file that can't be written for a while."""

    broken = False
    commits = 0
    needed: tuple[int, ...] = ()  # of each commit

    def commit(self, group: Group, needed: int, utc: float) -> None:
        if self.broken:
            raise JournalError("journal.db: database or disk is full")
        self.commits += 1
        self.needed += (needed,)
        super().commit(group, needed, utc)


def made(path: Path, **options: object) -> Journal:
    settings = config.Journal(path=str(path / "journal.db"), commit_ms=1, **options)  # type: ignore[arg-type]
    journal = Journal(settings, Metrics())
    journal.store = Flaky(journal.path, settings)
    return journal


@asynccontextmanager
async def running(journal: Journal) -> AsyncIterator[Journal]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(journal.run(lambda: None))
        yield journal
        task.cancel()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.journal.journal.RETRY_S", 0.001)


async def opened(journal: Journal) -> None:
    while journal.problem is not None:  # noqa: ASYNC110  nothing says so
        await asyncio.sleep(0)


async def test_what_waits_is_called_in_order_once_it_is_durable(tmp_path: Path) -> None:
    heard: list[int] = []
    async with running(made(tmp_path)) as journal:
        await opened(journal)
        for number in range(1, 4):
            assert journal.put(1, RefusedInput(number)) == number
            journal.then(journal.group, lambda number=number: heard.append(number))  # type: ignore[misc]
        assert heard == []
        await journal.committed(journal.group)
        assert heard == [1, 2, 3]
        journal.then(journal.durable, lambda: heard.append(4))
        assert heard[-1] == 4
        assert isinstance(journal.store, Flaky)
        assert journal.store.commits == 1


async def test_a_disk_that_is_full_for_a_while(tmp_path: Path) -> None:
    heard: list[str] = []
    async with running(made(tmp_path)) as journal:
        await opened(journal)
        assert isinstance(journal.store, Flaky)
        journal.store.broken = True
        journal.put(1, RefusedInput(0))
        journal.then(journal.group, lambda: heard.append("durable"))
        with pytest.raises(NotDurableError, match="disk is full"):
            await journal.committed(journal.group)
        with pytest.raises(NotDurableError, match="disk is full"):
            journal.check_room()
        journal.put(1, RefusedInput(1))  # what was taken meanwhile waits, too
        assert (journal.waiting, heard) == (2, [])
        journal.store.broken = False
        await opened(journal)
        await journal.flush()
        assert heard == ["durable"]
        journal.check_room()
        assert [number for number, _, _ in journal.store.inputs(0)] == [1, 2]


async def test_a_file_that_cannot_be_opened_at_first(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"no database" * 1000)
    async with running(made(tmp_path)) as journal:
        while "not a database" not in str(journal.problem):  # noqa: ASYNC110
            await asyncio.sleep(0)
        with pytest.raises(NotDurableError, match="not a database"):
            journal.check_room()
        path.unlink()
        await opened(journal)
        journal.put(1, RefusedInput(1))
        await journal.flush()


async def test_what_waits_is_bounded(tmp_path: Path) -> None:
    journal = made(tmp_path, max_queue=2)
    journal.open()
    for number in range(2):
        journal.check_room()
        journal.put(1, RefusedInput(number))
    with pytest.raises(NotDurableError, match="2 frames wait for the disk"):
        journal.check_room()
    journal.store.close()


async def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    def entry(position: int) -> Entry:
        return Entry(position, "a/s/0", "a", "s", 1, PREDICTION, 0, 0, "{}")

    async with running(made(tmp_path)) as journal:
        await opened(journal)
        journal.put(1, RefusedInput(0))
        journal.put_entry(entry)
        await journal.flush()
    journal = made(tmp_path)
    numbers = journal.open()
    assert (numbers.input, numbers.position) == (1, 1)
    assert journal.put(1, RefusedInput(1)) == 2
    journal.store.close()


async def test_no_path_means_a_file_that_goes_with_the_service() -> None:
    journal = Journal(config.Journal(path="", commit_ms=1), Metrics())
    with journal.claimed():
        async with running(journal):
            await opened(journal)
            journal.put(1, RefusedInput(0))
            await journal.flush()
        assert journal.path.exists()
    assert not journal.path.parent.exists()


async def test_a_commit_tried_again_forgets_nothing_that_later_states_cover(
    tmp_path: Path,
) -> None:
    journal = made(tmp_path, keep_frames_s=0.0)
    flaky, needed = journal.store, 1
    assert isinstance(flaky, Flaky)
    journal.needed = lambda: needed
    async with running(journal), asyncio.timeout(10):
        await journal.tried.wait()
        flaky.broken = True
        journal.put(1, RefusedInput(0))
        while journal.problem is None:  # noqa: ASYNC110  nothing says so
            await asyncio.sleep(0)
        needed = 9  # a state that covers all of it waits for the next commit
        flaky.broken = False
        await opened(journal)
    assert flaky.needed[0] == 1


async def test_a_disk_that_hangs_is_named_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.journal.journal.SLOW_S", 0.01)
    journal = made(tmp_path)
    hangs, commit = threading.Event(), journal.store.commit

    def hanging(group: Group, needed: int, utc: float) -> None:
        hangs.wait(30)
        commit(group, needed, utc)

    monkeypatch.setattr(journal.store, "commit", hanging)
    async with running(journal), asyncio.timeout(10):
        await journal.tried.wait()
        journal.put(1, RefusedInput(0))
        while journal.problem is None:  # noqa: ASYNC110  nothing says so
            await asyncio.sleep(0.001)
        assert "no commit ends within" in journal.problem
        with pytest.raises(NotDurableError):
            journal.check_room()
        hangs.set()
        await opened(journal)
        journal.check_room()


async def test_a_position_is_never_given_again(tmp_path: Path) -> None:
    journal = made(tmp_path)
    async with running(journal), asyncio.timeout(10):
        await journal.tried.wait()
        journal.put_mark("mqtt", 7)  # of an entry that the file had already, under a lower one
        await journal.flush()
    other = made(tmp_path)
    assert other.open().position == 7
    other.store.close()
