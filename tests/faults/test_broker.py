"""Mosquitto, on the settings that ship, is killed at random moments, and nothing is lost either."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.faults.mosquitto import ShippedBroker
from tests.faults.phones import faults, pace_of, players, playing
from tests.faults.world import Server

COUNTS = [(4, 2), pytest.param(200, 5, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
BETWEEN_S = 9.0  # kills, at most: phones have frames for so long


def joins(broker: ShippedBroker) -> str:
    """Return the settings of a server that joins the broker, and comes back soon."""
    return f'[mqtt]\nurl = "{broker.url}"\nca = "{broker.ca}"\nreconnect_max_s = 2.0\n'


@pytest.mark.parametrize(("phones", "kills"), COUNTS)
async def test_the_broker_is_killed(
    tmp_path: Path,
    toy_artifact: Path,
    rng: np.random.Generator,
    shipped_broker: ShippedBroker,
    phones: int,
    kills: int,
) -> None:
    broker = shipped_broker
    urls = [broker.url_of(f"p{i}") for i in range(phones)]
    settings = joins(broker)
    async with Server(tmp_path / "server", artifact=toy_artifact, settings=settings) as server:
        await server.joined()
        pace_s = pace_of(phones)
        frames = round(kills * BETWEEN_S / pace_s)
        playing_phones = players(urls, toy_artifact, frames, broker.ca)
        async with playing(playing_phones, pace_s):
            for _ in range(kills):
                await asyncio.sleep(rng.uniform(0.5, 2.0))
                broker.kill()
                broker.start()
                await server.joined()
        assert faults(playing_phones) == {}
        await server.judge_history(playing_phones)
        assert await server.stop() == 0
