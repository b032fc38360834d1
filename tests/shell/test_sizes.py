"""What one session, and one listener that reads nothing, may cost in memory. Sizes do not vary."""

import gc
import tracemalloc
from collections.abc import Iterator

import pytest

from tests.shell import measure_sessions
from tests.shell.measure_sessions import APP, KINDS, Kind
from tests.shell.test_hub import Instant

SESSIONS = 50
SECONDS = 14.0  # windows are complete after 10 s; what a session holds grows no more after 13
MOST = 10_000  # bytes that a session at rest may take


@pytest.fixture(autouse=True)
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def weighed() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def size(kind: Kind, seconds: float) -> float:
    """Return the bytes that a session takes besides what its journal has yet to write."""
    journal = Instant()
    hub = measure_sessions.made_hub(journal, lambda: 1000.0)
    before = 0
    for count in (1, SESSIONS):  # the first makes what is made once
        before = weighed()
        for _ in measure_sessions.played(hub, kind, count, seconds, prefix=f"{count}-"):
            hub.keeper.save_all()
            journal.forget()
    return (weighed() - before) / SESSIONS


@pytest.mark.parametrize("name", KINDS)
def test_a_session_at_rest_is_small(name: str) -> None:
    assert size(KINDS[name], max(SECONDS, KINDS[name].frame_s)) < MOST


def test_an_app_session_holds_a_second_of_gravity_besides() -> None:
    assert size(APP, SECONDS) < MOST + 50 * 4 * 8
