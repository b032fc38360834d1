"""Listeners that read nothing, or slowly, cost bounded memory, and nobody else anything."""

import asyncio
import json
import socket
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from stream import service, serving
from stream.config import Config, Publish
from stream.doors import connection
from stream.doors.connection import Protocol
from stream.outbox import Outbox
from stream.publish import TYPES
from stream.service import Service
from tests.dialling import metric
from tests.faults.judge import judge, plain
from tests.faults.phones import faults, players, playing, until

COUNTS = [(4, 20), pytest.param(20, 200, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
SLOW = 3  # listeners
FRAMES = 3000  # more than are sent
PACE_S = 0.01  # between a phone's frames
QUEUE = 30  # messages that may wait for a listener
PING_S = 6.0  # until the server asks whether somebody is there, and for the answer


async def listen(running: Service) -> ClientConnection:
    """Ask for everything, and hold next to nothing of it outside the server."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.setblocking(False)
    await asyncio.get_running_loop().sock_connect(small, (running.host, running.port))
    url = f"{running.ws_url}/v1/events?type={','.join(TYPES)}"
    return await connect(url, sock=small, max_queue=1, ping_interval=None)


async def read_slowly(
    listener: ClientConnection, rng: np.random.Generator, heard: list[dict[str, Any]]
) -> None:
    with suppress(ConnectionClosed):
        async for text in listener:
            heard.append(json.loads(text))
            await asyncio.sleep(rng.uniform(0, 0.02))


@pytest.fixture
def small_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system hold little of what a listener does not read, so that it is soon stuck."""
    begin = Protocol.connection_made

    def connection_made(self: Protocol, transport: asyncio.Transport) -> None:
        begin(self, transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        transport.set_write_buffer_limits(4096)

    monkeypatch.setattr(Protocol, "connection_made", connection_made)


def outboxes(running: Service) -> list[Outbox]:
    """Return those of all who listen to everybody."""
    return [listener.outbox for listener in running.hub.publisher._listeners._everything]


async def measure(running: Service, waiting: list[int]) -> None:
    """Note how much waits for any listener, until cancelled."""
    while True:
        for outbox in outboxes(running):
            waiting += [len(outbox), len(outbox._newest)]
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(("phones", "stuck"), COUNTS)
async def test_listeners_that_do_not_read(
    config: Config,
    toy_artifact: Path,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    small_buffers: None,
    phones: int,
    stuck: int,
) -> None:
    """They are cut off once they answer no ping, though what waits for them is never sent."""
    monkeypatch.setattr(serving, "PING_S", PING_S)
    monkeypatch.setattr(connection, "CUT_S", 0.2)
    settings = msgspec.structs.replace(config, publish=Publish(listener_queue=QUEUE))
    heard: list[list[dict[str, Any]]] = [[] for _ in range(SLOW)]
    async with service.running(settings) as running, AsyncExitStack() as closing:
        listeners = [await listen(running) for _ in range(stuck + SLOW)]
        for listener in listeners:
            closing.callback(listener.transport.abort)
        waiting: list[int] = []
        measuring = asyncio.create_task(measure(running, waiting))
        slow = [
            asyncio.create_task(read_slowly(listener, rng, own))
            for listener, own in zip(listeners, heard, strict=False)
        ]
        playing_phones = players([running.ws_url] * phones, toy_artifact, FRAMES)
        async with playing(playing_phones, PACE_S):
            await until(lambda: metric(running, "gaitway_messages_missed_total") > stuck, 60)
            assert len(outboxes(running)) >= stuck
            await until(lambda: len(outboxes(running)) <= SLOW, 60)
        assert faults(playing_phones) == {}
        for task in (measuring, *slow):
            task.cancel()
        await asyncio.wait([measuring, *slow])
    assert max(waiting) == QUEUE
    said = [message for phone in playing_phones for message in phone.expected]
    for own in heard:
        assert "missed" in {message["type"] for message in own}
        verdict = judge([plain(message) for message in own if "id" in message], said)
        assert (verdict.strange, verdict.differing) == ([], [])
