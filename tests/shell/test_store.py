"""The journal's file: what is committed is there again; what can't be written is said."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stream import config
from stream.errors import ConfigError, JournalError
from stream.journal.archive import Archive
from stream.journal.entries import ACTIVITY, PREDICTION, Entry, Query
from stream.journal.groups import DeviceRow, Group, SessionRow
from stream.journal.store import Store

OPTIONS = config.Journal(keep_frames_s=60, keep_predictions_h=1, keep_events_days=1)
HOUR, DAY = 3600.0, 86400.0
BEGIN = 1.79e9


def entry(
    position: int, kind: str = PREDICTION, published: float = BEGIN, opened: int = 1
) -> Entry:
    device = "ab"[position % 2]
    return Entry(position, f"{device}/s/{position}", device, "s", opened, kind, published, 0, "{}")


def group(first: int, count: int = 0, *entries: Entry) -> Group:
    made = Group(first)
    made.inputs = [(1, b"%d" % (first + i)) for i in range(count)]
    made.entries = list(entries)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "journal.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path, OPTIONS)
    with store.claimed():
        store.open()
        yield store
        store.close()


def again(path: Path) -> Store:
    """Open the file as after a crash."""
    store = Store(path, OPTIONS)
    store.open()
    return store


def found(path: Path) -> list[int]:
    with closing(Archive(path)) as archive:
        return [e.position for e in archive.rows(0, 10**9, Query())]


def test_a_group_is_there_again(path: Path, store: Store) -> None:
    first = group(1, 3, entry(1), entry(2, ACTIVITY))
    row = SessionRow(1, "mqtt", "a", "s", 2, b"state")
    first.sessions[1] = row
    first.sessions[9] = None
    first.devices["a"] = DeviceRow("a", BEGIN, b"known")
    first.marks["mqtt"] = 7
    store.commit(first, 1, BEGIN)
    with closing(again(path)) as other:
        assert other.open() == (3, 7, {"mqtt": 7})
        assert other.sessions() == [row]
        assert other.devices() == [DeviceRow("a", BEGIN, b"known")]
        assert list(other.inputs(1)) == [(2, 1, b"2"), (3, 1, b"3")]
        assert [window for window, _ in other.predictions("b", 1)] == [1]
        assert list(other.predictions("b", 2)) == []


def test_events_published_twice_are_entered_once(path: Path, store: Store) -> None:
    started = entry(1, ACTIVITY)
    store.commit(group(1, 0, started), 1, BEGIN)
    store.commit(group(1, 0, started._replace(position=2)), 1, BEGIN)
    assert found(path) == [1]
    store.commit(group(1, 0, started._replace(position=3, opened=8)), 1, BEGIN)  # a namesake's
    assert found(path) == [1, 3]


def test_old_things_go(path: Path, store: Store) -> None:
    for i in range(4):  # what is older than a minute goes, but for what is needed
        entries = (entry(2 * i + 1), entry(2 * i + 2, ACTIVITY))
        at = BEGIN + i * 1000
        rows = [e._replace(published=at) for e in entries]
        store.commit(group(2 * i + 1, 2, *rows), 5, at)
    with closing(Archive(path)) as archive:
        assert archive.pruned(Query()) == 0
    store.commit(group(9), 5, BEGIN + 2500 + HOUR)
    assert [n for n, _, _ in store.inputs(0)] == [5, 6, 7, 8]
    assert found(path) == [2, 4, 6, 7, 8]
    with closing(Archive(path)) as archive:
        assert archive.pruned(Query()) == 5
        assert archive.pruned(Query(types=frozenset({ACTIVITY}))) == 0
    store.commit(group(9), 9, BEGIN + 9 * DAY)
    assert found(path) == [7, 8]  # the newest of each keep the numbering
    with closing(again(path)) as other:
        assert other.open()[:2] == (8, 8)


def test_a_full_disk(path: Path, store: Store) -> None:
    connection = store._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    big = Group(1)
    big.inputs = [(1, bytes(100_000))]
    with pytest.raises(JournalError, match=r"journal.db: database or disk is full"):
        store.commit(big, 1, BEGIN)
    assert list(store.inputs(0)) == []
    connection.execute("PRAGMA max_page_count = 1000000")
    store.commit(big, 1, BEGIN)
    assert len(list(store.inputs(0))) == 1


def test_a_file_that_another_program_locks(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = store._connection
    assert connection is not None
    connection.execute("PRAGMA busy_timeout = 10")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked"):
            store.commit(group(1, 1), 1, BEGIN)
        other.execute("COMMIT")
    store.commit(group(1, 1), 1, BEGIN)
    assert list(store.inputs(0)) == [(1, 1, b"1")]


def test_a_damaged_file(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(JournalError, match="not a database"):
        Store(path, OPTIONS).open()


def test_a_file_that_is_removed(path: Path, store: Store) -> None:
    path.unlink()
    with pytest.raises(JournalError, match="was removed"):
        store.commit(group(1, 1), 1, BEGIN)
    path.write_bytes(b"")
    with pytest.raises(JournalError, match="was replaced"):
        store.commit(group(1, 1), 1, BEGIN)


def test_a_log_that_is_removed(path: Path, store: Store) -> None:
    """SQLite goes on writing into what nobody will ever read."""
    store.commit(group(1, 1), 1, BEGIN)
    log = path.with_name("journal.db-wal")
    log.unlink()
    with pytest.raises(JournalError, match="was removed"):
        store.commit(group(2, 2), 1, BEGIN)
    log.write_bytes(b"")
    with pytest.raises(JournalError, match=r"journal.db-wal: was replaced"):
        store.commit(group(2, 2), 1, BEGIN)


def test_the_log_of_a_linked_file_that_is_removed(tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "there.db")
    linked = Store(link, OPTIONS)
    linked.open()
    (tmp_path / "there.db-wal").unlink()
    with pytest.raises(JournalError, match="was removed"):
        linked.commit(group(1, 1), 1, BEGIN)
    linked.close()


def test_a_database_of_something_else(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE books (title)")
    with pytest.raises(JournalError, match="is no journal of this version"):
        Store(path, OPTIONS).open()


def test_one_service_a_file(path: Path, store: Store) -> None:
    with (
        pytest.raises(ConfigError, match="another gaitway uses it"),
        Store(path, OPTIONS).claimed(),
    ):
        pass


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "journal.db", OPTIONS)
    with pytest.raises(ConfigError, match=r"journal\.path = .*File exists"), store.claimed():
        pass


@pytest.mark.parametrize("wrong", [0.0, BEGIN - 40 * DAY])
def test_a_clock_that_was_behind_takes_no_others_along(
    path: Path, store: Store, wrong: float
) -> None:
    entries = [entry(n, ACTIVITY, BEGIN) for n in (1, 2, 3)]
    store.commit(group(1, 0, *entries, entry(4, ACTIVITY, wrong), entry(5, ACTIVITY)), 1, BEGIN)
    store.commit(group(1), 1, BEGIN + 60)
    assert found(path) == [1, 2, 3, 5]


def test_a_clock_that_was_ahead_holds_up_nothing(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.journal.pruning.PRUNED", 3)  # looked at; those ahead are more
    ahead = [entry(n, published=BEGIN + 9 * DAY) for n in range(1, 5)]
    store.commit(group(1, 2, *ahead), 1, BEGIN + 9 * DAY)
    store.commit(group(3, 2, *(entry(n) for n in range(5, 8))), 1, BEGIN)
    store.commit(group(5, 1), 5, BEGIN + 2 * HOUR)
    assert found(path) == [1, 2, 3, 4, 7]
    assert [n for n, _, _ in store.inputs(0)] == [5]


def test_who_streams_is_known_however_long_nothing_of_it_changes(store: Store) -> None:
    first = group(1)
    first.devices |= {name: DeviceRow(name, BEGIN, b"known") for name in "ab"}
    first.sessions[1] = SessionRow(1, "mqtt", "a", "s", 0, b"state")
    store.commit(first, 1, BEGIN)
    store.commit(group(1), 1, BEGIN + 9 * DAY)
    assert [row.name for row in store.devices()] == ["a"]
