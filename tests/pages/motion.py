"""Fake motion sensors in Chromium, by the DevTools protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import CDPSession, Page

from clients.track import Track

SENSORS = ("accelerometer", "linear-acceleration", "gyroscope")
REST = (0.0, 0.0, 9.8)  # m/s², on its back


class Motion:
    """The sensors of one page."""

    def __init__(self, devtools: CDPSession) -> None:
        self._devtools = devtools

    @classmethod
    async def of(cls, page: Page) -> "Motion":
        """Switch them on, with a first reading each, before the page listens."""
        motion = cls(await page.context.new_cdp_session(page))
        for sensor in SENSORS:
            await motion._devtools.send(
                "Emulation.setSensorOverrideEnabled", {"enabled": True, "type": sensor}
            )
            await motion.read(*REST, sensor=sensor)
        return motion

    async def read(self, x: float, y: float, z: float, sensor: str = "accelerometer") -> None:
        """Set a reading; the browser repeats it until the next."""
        reading = {"xyz": {"x": x, "y": y, "z": z}}
        await self._devtools.send(
            "Emulation.setSensorOverrideReadings", {"type": sensor, "reading": reading}
        )

    @asynccontextmanager
    async def playing(self, track: Track) -> AsyncIterator[None]:
        """Play a recording in real time, for as long as the context lasts."""
        playing = asyncio.create_task(self._play(track), name="playing")
        try:
            yield
        finally:
            playing.cancel()
            await asyncio.wait([playing])

    async def _play(self, track: Track) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        while True:  # the reading of this moment, however late the machine is
            place = int((clock() - began) * track.rate_hz) % len(track.xyz)
            x, y, z = track.xyz[place].tolist()
            await self.read(x, y, z)
            await asyncio.sleep(1 / track.rate_hz)
