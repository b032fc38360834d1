"""The server is killed at random moments; what it acked has every prediction, as if it had not."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.faults.phones import faults, pace_of, players, playing
from tests.faults.world import Server

MINUTES = [pytest.mark.slow, pytest.mark.timeout(1800)]
COUNTS = [(4, 2), pytest.param(10, 20, marks=MINUTES), pytest.param(200, 20, marks=MINUTES)]
BETWEEN_S = 4.5  # kills, at most: phones have frames for so long


async def streamed_and_killed(
    rng: np.random.Generator, server: Server, urls: list[str], artifact: Path, kills: int
) -> None:
    """Let phones stream to `urls` while the server is killed and started again; then compare."""
    await server.joined()
    pace_s = pace_of(len(urls))
    phones = players(urls, artifact, round(kills * BETWEEN_S / pace_s))
    async with playing(phones, pace_s):
        for _ in range(kills):
            await asyncio.sleep(rng.uniform(0.5, 2.0))
            await server.kill()
            await server.start()
    assert faults(phones) == {}
    await server.judge_history(phones)
    assert await server.stop() == 0


@pytest.mark.parametrize(("phones", "kills"), COUNTS)
async def test_by_websocket(
    tmp_path: Path, toy_artifact: Path, rng: np.random.Generator, phones: int, kills: int
) -> None:
    async with Server(tmp_path, artifact=toy_artifact) as server:
        await streamed_and_killed(rng, server, [server.url] * phones, toy_artifact, kills)


@pytest.mark.parametrize(("phones", "kills"), COUNTS)
async def test_by_mqtt(
    tmp_path: Path,
    toy_artifact: Path,
    rng: np.random.Generator,
    broker: str,
    phones: int,
    kills: int,
) -> None:
    async with Server(tmp_path / "server", "--mqtt", broker, artifact=toy_artifact) as server:
        await streamed_and_killed(rng, server, [broker] * phones, toy_artifact, kills)
