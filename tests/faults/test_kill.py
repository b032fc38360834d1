"""The server is killed at random moments; what it acked has every prediction, as if it had not."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.faults.world import Server, differences, made_up, play, unbroken

PACE_S = 0.03  # between a phone's frames
COUNTS = [(4, 2), pytest.param(10, 20, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]


async def streamed_and_killed(
    server: Server, url: str, artifact: Path, phones: int, kills: int
) -> None:
    """Let phones stream to `url` while the server is killed and started again; then compare."""
    rng = np.random.default_rng(kills)
    await server.joined()
    frames = 60 * kills
    streams = [made_up(f"p{i}", frames, seed=i) for i in range(phones)]
    here = [asyncio.Event() for _ in streams]
    async with asyncio.TaskGroup() as tasks:
        playing = [
            tasks.create_task(play(url, stream, PACE_S, event))
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
        expected = unbroken(stream, session, artifact, frames)[:-1]  # the session may go on
        assert differences(heard, expected) == []
        kept = [event["id"] for event in await server.history(stream.device)]
        assert kept[: len(expected)] == [event["id"] for event in expected]
        assert len(kept) <= len(expected) + 1
    assert await server.stop() == 0


@pytest.mark.parametrize(("phones", "kills"), COUNTS)
async def test_by_websocket(tmp_path: Path, toy_artifact: Path, phones: int, kills: int) -> None:
    server = Server(tmp_path, artifact=toy_artifact)
    async with server:
        await streamed_and_killed(server, server.url, toy_artifact, phones, kills)


@pytest.mark.parametrize(("phones", "kills"), COUNTS)
async def test_by_mqtt(
    tmp_path: Path, toy_artifact: Path, broker: str, phones: int, kills: int
) -> None:
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server", "--mqtt", broker, artifact=toy_artifact)
    async with server:
        await streamed_and_killed(server, broker, toy_artifact, phones, kills)
