"""A server's process is watched from outside: its memory, and whether that grows."""

import os

import pytest

from clients import server_process
from clients.server_process import ServerProcess


def test_memory_that_grows_after_the_first_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    process = ServerProcess(os.getpid())
    process.look()
    assert process.use().growth_percent is None  # too short a time to tell
    monkeypatch.setattr(server_process, "SETTLED_S", 0.0)
    process.look()
    before = process.use()
    assert before.growth_percent == 0
    grown = b"x" * 100_000_000
    process.look()
    after = process.use()
    assert after.growth_percent == pytest.approx(len(grown) / before.rss_mb / 1e4, rel=0.2)
