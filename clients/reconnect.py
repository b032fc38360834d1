"""Runs one connection after another until the work is done. Knows no transport."""

import time
from collections.abc import Awaitable, Callable

import stamina

from clients.errors import UnreachableError

FIRST_WAIT_S, LONGEST_WAIT_S, JITTER_S = 0.1, 10.0, 1.0
STOOD_S = 30.0  # a connection that stood so long was a good one, whatever ended it


async def keep_connected(
    run: Callable[[], Awaitable[None]],
    *,
    opened: Callable[[], bool],
    finished: Callable[[], bool],
    patience_s: float | None,
) -> None:
    """Await `run` again and again until `finished`.

    `run` returns when a connection broke that got something done, and the next one is tried at
    once. It raises UnreachableError when nothing got done: then the wait grows, with jitter, and
    after `patience_s` (None: never) the error is raised. What never `opened` is not tried again.
    Other errors are raised at once.
    """

    def transient(error: Exception) -> bool:
        return isinstance(error, UnreachableError) and opened()

    while not finished():
        async for attempt in stamina.retry_context(
            on=transient,
            attempts=None,
            timeout=patience_s,
            wait_initial=FIRST_WAIT_S,
            wait_max=LONGEST_WAIT_S,
            wait_jitter=JITTER_S,
        ):
            with attempt:
                await _run_once(run)


async def _run_once(run: Callable[[], Awaitable[None]]) -> None:
    began = time.monotonic()
    try:
        await run()
    except UnreachableError:
        if time.monotonic() - began < STOOD_S:
            raise
