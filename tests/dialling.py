"""What tests of dialled phones have in common: a service that dials, and what it heard."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream import service
from stream.config import Config, Device, Dial
from stream.service import Service

Timed = list[tuple[float, NDArray[np.float64]]]


def timed(xyz: NDArray[np.float64], rate_hz: float = 50.0, t: float = 0.0) -> Timed:
    """Give samples (n, 3) their times in s, beginning at `t`."""
    return [(t + i / rate_hz, row) for i, row in enumerate(xyz)]


@asynccontextmanager
async def dialling(config: Config, **urls: str) -> AsyncIterator[Service]:
    """A service that dials phones, of the names and at the addresses given, without patience."""
    devices = {name: Device(url=url) for name, url in urls.items()}
    dial = Dial(reconnect_max_s=0.05, poll_s=0.02)
    async with service.running(msgspec.structs.replace(config, dial=dial, devices=devices)) as it:
        yield it


class Heard:
    """What a service publishes; a test waits for what it needs to hear."""

    def __init__(self, running: Service) -> None:
        self.messages: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        running.hub.publisher.add_sink(self._hear)

    def _hear(self, _device: str, said: object, _channel: str | None) -> None:
        self.messages.append(msgspec.to_builtins(said))
        self._news.set()

    def of(self, device: str, kind: str) -> list[dict[str, Any]]:
        return [m for m in self.messages if m["device"] == device and m["type"] == kind]

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until what was published makes it true."""
        async with asyncio.timeout(20):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def predictions(self, device: str, n: int) -> list[dict[str, Any]]:
        """Wait for so many predictions of a device; return them all."""
        await self.until(lambda: len(self.of(device, "prediction")) >= n)
        return self.of(device, "prediction")


def metric(running: Service, name: str) -> float:
    """Return the sum of all metrics that begin as `name` does."""
    lines = running.hub.metrics.render().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


async def until(true: Callable[[], Any], every_s: float = 0.01) -> None:
    """Ask until it is true: for what nobody tells of."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110  counters have no events
            await asyncio.sleep(every_s)


def windows(predictions: Iterable[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(p["start"], p["end"]) for p in predictions]


def answers(predictions: Iterable[dict[str, Any]]) -> list[tuple[int, dict[str, float]]]:
    """Return each window's number and probabilities, without the bits that batches change."""
    return [
        (p["window"], {name: round(value, 4) for name, value in p["probabilities"].items()})
        for p in predictions
    ]
