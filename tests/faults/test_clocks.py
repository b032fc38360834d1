"""Clocks that step, the server's and the phones' own: nothing is lost, nor mixed up."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest

from stream import service
from stream.config import Config, Journal, Server
from stream.service import Service
from tests.conftest import free_port
from tests.faults.judge import made_up
from tests.faults.phones import Player, faults, playing, until

DAY = 86_400.0
STEPS_S = (-30 * 365 * DAY, -DAY, -3600.0, -5.0, 5.0, 3600.0, DAY, 30 * 365 * DAY)
LEAPS_S = (3600.0, -3600.0, -3600.0, 3600.0)
COUNTS = [(4, 8), pytest.param(20, 200, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
FRAMES = 20  # for each step of a clock


class Clock:
    """The server's wall clock, in s since 1970, which somebody puts forward and back."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s

    async def step(self, rng: np.random.Generator, steps: int) -> None:
        """Step so often, to any of what it may be ahead; at last to what is right."""
        for n in range(steps):
            self.ahead_s = STEPS_S[rng.permutation(len(STEPS_S))[0]] if n else STEPS_S[-1]
            await asyncio.sleep(rng.uniform(0.05, 0.4))
        self.ahead_s = 0.0


@asynccontextmanager
async def wound(config: Config, clock: Clock) -> AsyncIterator[Service]:
    """A service that goes by that clock."""
    async with service.running(config) as running:
        hub = running.hub
        hub.utc = hub.keeper._utc = hub.journal._utc = hub.publisher.history._utc = clock
        yield running


@pytest.mark.parametrize(("phones", "steps"), COUNTS)
async def test_clocks_step(
    config: Config,
    tmp_path: Path,
    toy_artifact: Path,
    rng: np.random.Generator,
    phones: int,
    steps: int,
) -> None:
    """Every second phone's own clock leaps by an hour, next to good ones; the server restarts."""
    port, clock = free_port(), Clock()
    settings = msgspec.structs.replace(
        config,
        server=Server(port=port),
        journal=Journal(path=str(tmp_path / "journal.db"), commit_ms=1),
    )
    url = f"ws://127.0.0.1:{port}"
    leaps = [(), LEAPS_S * (1 + steps // 50)]
    playing_phones = [
        Player(url, made_up(f"p{i}", FRAMES * steps, i // 2, leaps[i % 2]), toy_artifact)
        for i in range(phones)
    ]
    async with AsyncExitStack() as second, AsyncExitStack() as first:
        await first.enter_async_context(wound(settings, clock))
        async with playing(playing_phones):
            await clock.step(rng, steps // 2)
            await first.aclose()
            running = await second.enter_async_context(wound(settings, clock))
            # A step to the day after would take along what a phone that is away has not heard.
            await until(lambda: all(phone.device.online for phone in running.hub.lives()))
            await clock.step(rng, steps // 2)
            await until(lambda: all(p.sent == FRAMES * steps for p in playing_phones), 180)
        assert faults(playing_phones) == {}
        assert all(phone.expected for phone in playing_phones)
