"""How long one large message of an app holds up everybody: `python -m tests.shell.measure_stalls`.

Runs a service with the small model of the tests; a heartbeat on its event loop tells the longest
pause while the message is taken. Judges nothing.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import numpy as np

from stream import service
from stream.config import Auth, Config, Device, Dial, Journal, Model, Server
from stream.service import Service
from tests import phyphox
from tests.conftest import write_toy_artifact

BEAT_S = 0.001
ROWS = 130_000  # a recording may have a few more
SENSOR_LOGGER = 58_000  # readings; so many fit into 4 MiB
PHYPHOX = 50_000  # samples, of 8 digits: 3 MiB


@asynccontextmanager
async def heartbeat(title: str) -> AsyncIterator[None]:
    """Print the longest pause of the event loop within the context."""
    longest_s, over = 0.0, asyncio.Event()

    async def beat() -> None:
        nonlocal longest_s
        before = time.perf_counter()
        while not over.is_set():
            await asyncio.sleep(BEAT_S)
            now = time.perf_counter()
            longest_s, before = max(longest_s, now - before - BEAT_S), now

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(beat())
        await asyncio.sleep(0)
        began = time.perf_counter()
        yield
        took_s = time.perf_counter() - began
        over.set()
    print(f"{title:55} {longest_s * 1000:6.0f} ms, taken in {took_s:.1f} s")  # noqa: T201


def recording(interval_ms: int) -> bytes:
    """Return a recording in Edge Impulse's format, of `ROWS` rows."""
    rows = ",".join(f"[{i % 3},9,{i % 2}]" for i in range(ROWS))
    sensors = ",".join(f'{{"name":"acc{axis}"}}' for axis in "XYZ")
    return (
        f'{{"payload":{{"device_name":"e{interval_ms}","interval_ms":{interval_ms},'
        f'"sensors":[{sensors}],"values":[{rows}]}}}}'
    ).encode()


def pushed() -> bytes:
    """Return a message of Sensor Logger with acceleration and gravity in turn."""
    entries = [
        f'{{"name":"{"gravity" if i % 2 else "accelerometer"}","time":{i // 2 * 10_000_000},'
        f'"values":{{"x":{i % 3},"y":9,"z":{i % 5}}}}}'
        for i in range(SENSOR_LOGGER)
    ]
    return f'{{"deviceId":"s","payload":[{",".join(entries)}]}}'.encode()


async def posted(running: Service, path: str, body: bytes) -> None:
    """Post one message, and wait for its answer."""
    async with httpx.AsyncClient(base_url=running.http_url, timeout=120) as client:
        answer = await client.post(path, content=body)
        assert answer.status_code in (200, 499), answer.text


def measured() -> bytes:
    """Return phyphox's answer that holds `PHYPHOX` samples."""
    phone = phyphox.FakePhone()
    phone.measuring = True
    samples = np.random.default_rng(0).normal(5, 1, (PHYPHOX, 3))
    phone.feel((0.01 + i / 100, row) for i, row in enumerate(samples.tolist()))
    return phone._answer("/get?acc_time=full&accX=full&accY=full&accZ=full").encode()


async def dialled(running: Service, phone: phyphox.FakePhone, answer: bytes) -> None:
    """Let the phone give one large answer, and wait until the service has taken it."""
    phone.nonsense = [answer]
    while running.hub.metrics.samples._value.get() < PHYPHOX:  # noqa: ASYNC110  it tells nobody
        await asyncio.sleep(BEAT_S)


async def measure(running: Service, phone: phyphox.FakePhone) -> None:
    """Print the longest pause for each large message."""
    answer = measured()
    await phone.told_to_start()
    await phone.asked_again(2)
    works: dict[str, Callable[[], Awaitable[None]]] = {
        "nothing": lambda: asyncio.sleep(1),
        f"phyphox, {len(answer) / 2**20:.1f} MiB": lambda: dialled(running, phone, answer),
    }
    for title, path, body in (
        ("Sensor Logger", "/v1/sensor-logger", pushed()),
        ("Edge Impulse, 62.5 Hz", "/v1/edge-impulse", recording(16)),
        ("Edge Impulse, 2 Hz", "/v1/edge-impulse", recording(500)),
    ):
        size = f"{len(body) / 2**20:.2f} MiB"
        works[f"{title}, {size}"] = partial(posted, running, path, body)
    for title, work in works.items():
        async with heartbeat(title):
            await work()


async def main() -> None:
    """Run a service, and a phone that it dials."""
    with tempfile.TemporaryDirectory() as folder:
        config = Config(
            server=Server(port=0),
            model=Model(artifact=str(write_toy_artifact(Path(folder, "toy")))),
            journal=Journal(path=""),
            auth=Auth(tokens=str(Path(folder, "tokens.json"))),
            dial=Dial(poll_s=0.5),
        )
        async with phyphox.phone() as phone:
            config.devices["p"] = Device(url=phone.url)
            async with service.running(config) as running:
                await measure(running, phone)


if __name__ == "__main__":
    asyncio.run(main())
