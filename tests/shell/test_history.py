"""The history is paged through by id and position, committed or not."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stream import config
from stream.journal.entries import Query
from stream.journal.history import History
from stream.journal.journal import Journal
from stream.metrics import Metrics
from tests.shell.test_publish import prediction

EVERYTHING = Query()
TIME = datetime(2026, 11, 22, tzinfo=UTC)


class World:
    """A history whose journal commits when told."""

    def __init__(self, path: Path) -> None:
        self.now = 1.79e9
        options = config.Journal(path=str(path / "journal.db"))
        self.journal = Journal(options, Metrics(), utc=lambda: self.now)
        self.journal.open()
        self.history = History(self.journal, utc=lambda: self.now)

    def add(self, *numbers: int, device: str = "a") -> None:
        for number in numbers:
            self.history.add(prediction(number, device), f"{number}", opened=1)

    async def commit(self) -> None:
        with ThreadPoolExecutor(1) as thread:
            await self.journal._commit(thread)

    async def after(
        self, name: str, query: Query = EVERYTHING, limit: int = 99
    ) -> list[str] | None:
        place = await self.history.place(name, query)
        if place is None:
            return None
        found = await self.history.page(place, query, limit, self.history.newest)
        return [entry.text for entry in found]

    async def following(self, after: int) -> tuple[list[str], int, bool, int]:
        part = await self.history.following(after)
        return [entry.text for entry in part.entries], *part[1:]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    yield world
    world.history.close()
    world.journal.store.close()


async def test_committed_and_not(world: World) -> None:
    world.add(0, 1, 2)
    assert await world.after("") == ["0", "1", "2"]
    await world.commit()
    world.add(3)
    assert await world.after("a/s/1") == ["2", "3"]
    assert await world.after("3") == ["3"]
    assert await world.after("a/s/3") == []
    assert await world.after("", limit=2) == ["0", "1"]


async def test_by_device_and_time(world: World) -> None:
    world.add(0, 1)
    world.add(2, device="b")
    await world.commit()
    world.add(3, device="b")
    assert await world.after("", Query(devices=frozenset({"b"}))) == ["2", "3"]
    assert await world.after("", Query(start=TIME)) == ["0", "1", "2", "3"]
    assert await world.after("", Query(end=TIME)) == []
    assert await world.after("", Query(types=frozenset({"activity"}))) == []


async def test_what_is_not_kept(world: World) -> None:
    world.add(0, 1, 2)
    assert await world.after("a/s/9") is None
    assert await world.after("4") is None
    await world.commit()
    world.now += 3700
    world.add(3)
    await world.commit()
    assert await world.after("a/s/1") is None
    assert await world.after("1") is None
    assert await world.after("3") == ["3"]
    assert await world.after("", Query(types=frozenset({"activity"}))) == []


async def test_pages_end_where_they_were_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.journal.history.PAGE", 2)
    monkeypatch.setattr("stream.journal.archive.PAGE", 2)
    world.add(*range(5))
    await world.commit()
    world.add(5, 6)
    until = world.history.newest
    world.add(7)
    pages = [[e.text for e in page] async for page in world.history.pages(0, Query(), until)]
    assert pages == [["0", "1"], ["2", "3"], ["4", "5"], ["6"]]


async def test_what_follows_comes_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.journal.history.PAGE", 2)
    monkeypatch.setattr("stream.journal.archive.PAGE", 2)
    world.add(*range(3))
    await world.commit()
    world.add(3)
    assert await world.following(0) == (["0", "1"], 2, False, 0)
    assert await world.following(3) == (["3"], 4, True, 0)
    assert await world.following(4) == ([], 4, True, 0)


async def test_what_comes_while_it_is_read_follows_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add(0, 1)

    async def meanwhile(_: Query) -> int:
        world.add(world.history.newest)
        if commits:
            await world.commit()
        return 0

    monkeypatch.setattr(world.history, "pruned", meanwhile)
    commits = False
    assert await world.following(0) == (["0", "1", "2"], 3, True, 0)
    commits = True  # what came may be in the file only
    assert await world.following(0) == (["0", "1", "2"], 3, False, 0)


async def test_what_is_gone_is_counted(world: World) -> None:
    world.add(0, 1, 2)
    await world.commit()
    world.now += 3700
    world.add(3)
    await world.commit()
    assert await world.following(0) == (["3"], 4, True, 3)
    assert await world.following(2) == (["3"], 4, True, 1)
    assert await world.following(3) == (["3"], 4, True, 0)
