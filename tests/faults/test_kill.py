"""The server is killed at random moments; what it acked has every prediction, as if it had not."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.faults.world import Server, differences, made_up, play, unbroken


@pytest.mark.parametrize(
    ("phones", "kills"),
    [(6, 3), pytest.param(40, 20, marks=[pytest.mark.slow, pytest.mark.timeout(900)])],
)
async def test_sigkill(tmp_path: Path, toy_artifact: Path, phones: int, kills: int) -> None:
    rng = np.random.default_rng(kills)
    server = Server(tmp_path, artifact=toy_artifact)
    await server.start()
    frames = 60 * kills
    streams = [made_up(f"p{i}", frames, seed=i) for i in range(phones)]
    async with asyncio.TaskGroup() as tasks:
        here = [asyncio.Event() for _ in streams]
        playing = [
            tasks.create_task(play(server, stream, 0.03, event))
            for stream, event in zip(streams, here, strict=True)
        ]
        for event in here:
            await event.wait()
        for _ in range(kills):
            await asyncio.sleep(rng.uniform(0.5, 2.0))
            await server.kill()
            await server.start()
    for stream, task in zip(streams, playing, strict=True):
        session, heard = task.result()
        expected = unbroken(stream, session, toy_artifact, frames)
        assert differences(heard, expected[:-1]) == []  # the last comes after the phone is gone
        kept = await server.history(stream.device)
        assert [e["id"] for e in kept] == [e["id"] for e in expected]
    assert await server.stop() == 0
