"""Recordings served by SensorServer and phyphox give what the server's own format gives.

MotionSense, turned into what these apps send (m/s², Android's sign), over real sockets.
"""

from collections.abc import AsyncIterator

import httpx
import pytest

from stream import service
from stream.config import Config, Device, Dial, Journal, Server
from stream.service import Service
from stream.wire.text import TextFrame, encode_text
from tests import phyphox, sensor_server
from tests.dialling import metric, timed, until
from tests.end_to_end.test_sensor_logger import ARCHIVE, RATE_HZ, activities, trials

pytestmark = pytest.mark.skipif(not ARCHIVE.exists(), reason="needs GAITWAY_DATA")

Phones = dict[str, tuple[sensor_server.FakePhone, phyphox.FakePhone]]


@pytest.fixture
async def phones() -> AsyncIterator[Phones]:
    """A phone of each kind for every trial."""
    made = {name: (sensor_server.FakePhone(), phyphox.FakePhone()) for name in trials()}
    for both in made.values():
        for phone in both:
            await phone.start()
    yield made
    for both in made.values():
        for phone in both:
            await phone.stop()


@pytest.fixture
async def shipped(phones: Phones) -> AsyncIterator[Service]:
    """A service with the model that ships, which dials them all."""
    devices = {}
    for name, (by_websocket, by_http) in phones.items():
        devices[f"server-{name}"] = Device(url=by_websocket.url)
        devices[f"phyphox-{name}"] = Device(url=by_http.url)
    config = Config(
        server=Server(port=0), dial=Dial(poll_s=0.05), devices=devices, journal=Journal(path="")
    )
    async with service.running(config) as running:
        yield running


async def test_the_same_activities_as_in_the_servers_own_format(
    shipped: Service, phones: Phones
) -> None:
    samples = 0
    async with httpx.AsyncClient(base_url=shipped.http_url) as client:
        for name, (xyz, _gravity) in trials().items():
            readings = timed(xyz, RATE_HZ)
            frame = TextFrame(xyz.tolist(), seq=0, t=[t for t, _ in readings])
            answer = await client.post(f"/v1/frames?device=own-{name}", content=encode_text(frame))
            assert answer.status_code == 200
            by_websocket, by_http = phones[name]
            await by_http.told_to_start()
            await by_websocket.called.get()
            await by_websocket.feel(readings)
            for i in range(0, len(readings), 301):
                by_http.feel(readings[i : i + 301])
                await by_http.asked_again()
            samples += 3 * len(xyz)
        await until(lambda: metric(shipped, "gaitway_samples_total") == samples)
        total = 0
        for name in phones:
            own = await activities(client, shipped, f"own-{name}")
            assert await activities(client, shipped, f"server-{name}") == own
            assert await activities(client, shipped, f"phyphox-{name}") == own
            total += len(own)
        assert total > 30
