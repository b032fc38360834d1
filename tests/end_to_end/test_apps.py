"""Recordings sent as each app would send them give what the server's own format gives.

MotionSense, in m/s² with Android's signs, over real sockets, with the model that ships.
"""

import asyncio
from collections.abc import AsyncIterator

import httpx
import numpy as np
import pytest

from stream import service
from stream.config import Config, Journal, Server, Tcp
from stream.service import Service
from stream.wire.text import TextFrame, encode_text
from tests import sensor_apps
from tests.end_to_end.test_sensor_logger import RATE_HZ, activities, pytestmark, trials
from tests.sensor_apps import Samples

__all__ = ["pytestmark"]  # skips without recordings

WRITERS = {
    "hyperimu-json": sensor_apps.hyperimu_json,
    "hyperimu-csv": sensor_apps.hyperimu_csv,
    "sensor-streamer": sensor_apps.sensor_streamer,
}


@pytest.fixture
async def shipped() -> AsyncIterator[Service]:
    """A service with the model that ships and a port for each app."""
    settings = Config(
        server=Server(port=0), tcp=Tcp(hyperimu=0, sensor_streamer=0), journal=Journal(path="")
    )
    async with service.running(settings) as running:
        yield running


async def send(running: Service, client: httpx.AsyncClient, way: str, xyz: Samples) -> str:
    """Send a recording as that app; return the device that it became."""
    if way == "edge-impulse":
        body = sensor_apps.form(sensor_apps.edge_impulse(xyz, RATE_HZ, "phone_1"))
        assert (await client.post("/api/training/data", content=body)).status_code == 200
        return "phone_1"
    app = way.removesuffix("-json").removesuffix("-csv")
    reader, writer = await asyncio.open_connection("127.0.0.1", running.doors.ports[app])
    writer.write(b"".join(WRITERS[way](xyz, RATE_HZ)))
    writer.write_eof()
    async with asyncio.timeout(10):
        assert await reader.read() == b""  # the server has all of it
    writer.close()
    return f"{app}-127.0.0.1"


@pytest.mark.parametrize(
    "ways", [("hyperimu-json", "sensor-streamer", "edge-impulse"), ("hyperimu-csv",)]
)
async def test_the_same_activities_as_in_the_servers_own_format(
    shipped: Service, ways: tuple[str, ...]
) -> None:
    xyz = np.concatenate([rows for rows, _ in trials().values()])
    t = np.arange(len(xyz)) / RATE_HZ
    async with httpx.AsyncClient(base_url=shipped.http_url) as client:
        for seq, first in enumerate(range(0, len(xyz), 4000)):
            part = slice(first, first + 4000)
            body = encode_text(TextFrame(xyz[part].tolist(), seq=seq, t=t[part].tolist()))
            assert (await client.post("/v1/frames?device=own", content=body)).status_code == 200
        own = await activities(client, shipped, "own")
        for way in ways:
            assert await activities(client, shipped, await send(shipped, client, way, xyz)) == own
    assert len(own) > 70
    assert len({activity for _, activity in own}) > 3
