"""Tasks that are owned: they end with whoever began them, and their errors arrive as themselves."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any


@contextmanager
def ungrouped() -> Iterator[None]:
    """Raise the first error of a group as itself: the others followed from it."""
    try:
        yield
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, Any], name: str) -> AsyncIterator[None]:
    """Run `work` beside the body and end it with the body; raise what either raises first."""
    with ungrouped():
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(work, name=name)
            yield
            task.cancel()


async def together(works: dict[str, Coroutine[Any, Any, Any]]) -> None:
    """Run all works, each under its name; the first error ends the others and is raised."""
    with ungrouped():
        async with asyncio.TaskGroup() as tasks:
            for name, work in works.items():
                tasks.create_task(work, name=name)
