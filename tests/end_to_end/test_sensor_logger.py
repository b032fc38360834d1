"""Recordings sent as Sensor Logger would send them give what the server's own format gives.

MotionSense, recorded by an iPhone (signs inverted, g, gravity apart), over a real socket.
"""

import csv
import os
import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from stream import service
from stream.config import Config, Journal, Server
from stream.service import Service
from stream.wire.limits import STANDARD_GRAVITY
from stream.wire.text import TextFrame, encode_text
from tests.sensor_logger import EPOCH_NS, Style, entries, messages

ARCHIVE = Path(os.environ.get("GAITWAY_DATA", "nowhere")) / "A_DeviceMotion_data.zip"
COLUMNS = [f"{part}.{axis}" for part in ("gravity", "userAcceleration") for axis in "xyz"]
RATE_HZ = 50
TRIALS = r"(wlk_7|jog_9|ups_3|sit_5)/sub_1\.csv"

pytestmark = pytest.mark.skipif(not ARCHIVE.exists(), reason="needs GAITWAY_DATA")


def trials() -> dict[str, tuple[Any, Any]]:
    """Return up to 40 s of each trial: samples and gravity (n, 3) in m/s², Android's sign."""
    found = {}
    with zipfile.ZipFile(ARCHIVE) as archive:
        for name in archive.namelist():
            if re.search(TRIALS, name) and not name.startswith("__MACOSX"):
                lines = archive.read(name).decode().splitlines()[: 40 * RATE_HZ]
                columns = [next(csv.reader(lines[:1])).index(column) for column in COLUMNS]
                rows = -STANDARD_GRAVITY * np.loadtxt(lines[1:], delimiter=",", usecols=columns)
                found[name.split("/")[-2]] = (rows[:, :3] + rows[:, 3:], rows[:, :3])
    return found


@pytest.fixture
async def shipped() -> AsyncIterator[Service]:
    """A service with the model that ships."""
    config = Config(server=Server(port=0), journal=Journal(path=""))
    async with service.running(config) as running:
        yield running


async def activities(client: httpx.AsyncClient, running: Service, device: str) -> list[Any]:
    await running.hub.models.drained()
    await running.hub.journal.flush()  # predictions wait for the frames that they rest on
    page = await client.get(f"/v1/events?device={device}&type=prediction&limit=1000")
    return [(event["window"], event["activity"]) for event in page.json()["events"]]


@pytest.mark.parametrize("style", ["ios-raw", "ios", "standardised", "android"])
async def test_the_same_activities_as_in_the_servers_own_format(
    shipped: Service, style: Style
) -> None:
    same = total = 0
    async with httpx.AsyncClient(base_url=shipped.http_url) as client:
        for trial, (xyz, gravity) in trials().items():
            if style == "ios":  # as the person who made the check has it
                shipped.hub.devices.get(f"app-{trial}").checked_axes = "ios"
            t = (EPOCH_NS / 1e9 + np.arange(len(xyz)) / RATE_HZ).tolist()
            frame = TextFrame(xyz.tolist(), seq=0, t=t)
            answer = await client.post(f"/v1/frames?device=own-{trial}", content=encode_text(frame))
            assert answer.status_code == 200
            for body in messages(entries(xyz, style, RATE_HZ, gravity), 301, f"app-{trial}"):
                assert (await client.post("/v1/sensor-logger", content=body)).status_code == 200
            own = await activities(client, shipped, f"own-{trial}")
            app = await activities(client, shipped, f"app-{trial}")
            assert len(own) == len(app) > 3
            same += sum(a == b for a, b in zip(own, app, strict=True))
            total += len(own)
    assert total > 30
    assert same == total


async def test_without_the_check_most_activities_are_the_same(shipped: Service) -> None:
    same = total = 0
    async with httpx.AsyncClient(base_url=shipped.http_url) as client:
        for trial, (xyz, gravity) in trials().items():
            styles: dict[str, Style] = {"std": "standardised", "ios": "ios"}
            for name, style in styles.items():
                for body in messages(entries(xyz, style, RATE_HZ, gravity), 301, f"{name}-{trial}"):
                    await client.post("/v1/sensor-logger", content=body)
            std = await activities(client, shipped, f"std-{trial}")
            ios = await activities(client, shipped, f"ios-{trial}")
            same += sum(a == b for a, b in zip(std, ios, strict=True))
            total += len(std)
    assert same >= 0.9 * total > 30, (same, total)
