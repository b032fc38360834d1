"""What one call to a phone may cost, and what is said of it: the call, and what to do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from socket import create_server

import numpy as np
import pytest

from stream.config import Config
from stream.dial import by_http
from tests import phyphox, sensor_server
from tests.conftest import free_port
from tests.dialling import Heard, Timed, dialling, metric, timed, until
from tests.faulty import POISON, poisoned
from tests.sensor_logger import walk

FAILED = 'gaitway_dial_failures_total{device="bad"}'
REFUSED = 'gaitway_frames_refused_total{channel="dial",code="internal"}'
Fake = sensor_server.FakePhone | phyphox.FakePhone


async def feel(phone: Fake, readings: Timed) -> None:
    if isinstance(phone, sensor_server.FakePhone):
        await phone.feel(readings)
    else:
        phone.feel(readings)


async def ready(phone: Fake) -> None:
    if isinstance(phone, sensor_server.FakePhone):
        await phone.called.get()
    else:
        await phone.asked_again(2)


@asynccontextmanager
async def fake(app: str) -> AsyncIterator[Fake]:
    async with (phyphox if app == "phyphox" else sensor_server).phone() as phone:
        yield phone


@pytest.mark.parametrize("app", ["sensor-server", "phyphox"])
async def test_a_phone_that_we_fail_on_is_called_again_and_ends_nothing_else(
    config: Config, app: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned(monkeypatch)
    async with (
        fake(app) as bad,
        fake(app) as good,
        dialling(config, bad=bad.url, good=good.url) as running,
    ):
        heard = Heard(running)
        await ready(bad)
        await ready(good)
        await feel(bad, timed(walk(5, 50)))
        await until(lambda: metric(running, "gaitway_samples_total") >= 250)
        await feel(bad, [(5.0, np.array([float(POISON), 2.0, 9.0]))])
        await until(lambda: metric(running, FAILED) == 1)
        assert metric(running, REFUSED) == 1
        await ready(bad)
        await feel(bad, timed(walk(13, 50), t=5.02))
        await feel(good, timed(walk(13, 50)))
        await heard.predictions("bad", 2)
        await heard.predictions("good", 2)
        assert metric(running, FAILED) == 1
        assert metric(running, "gaitway_dial_connected") == 2
    (told,) = [record for record in caplog.records if record.exc_info]
    assert told.getMessage().startswith("bad: a fault of ours")
    assert any("the server failed on what the phone sent" in text for text in caplog.messages)


async def told_of(config: Config, caplog: pytest.LogCaptureFixture, url: str) -> str:
    """Return what is said of the first call that failed."""
    async with dialling(config, bad=url) as running:
        await until(lambda: metric(running, FAILED) >= 1)
    return next(text for text in caplog.messages if text.startswith("bad: "))


APPS = {"ws": "press Start in SensorServer", "http": "choose Allow remote access in phyphox"}


@pytest.mark.parametrize("scheme", APPS)
async def test_nobody_listens(
    config: Config, caplog: pytest.LogCaptureFixture, scheme: str
) -> None:
    told = await told_of(config, caplog, f"{scheme}://127.0.0.1:{free_port()}")
    assert f"; nobody listens there: {APPS[scheme]}, and check the port. It is called" in told


@pytest.mark.parametrize("scheme", APPS)
async def test_a_name_that_nobody_has(
    config: Config, caplog: pytest.LogCaptureFixture, scheme: str
) -> None:
    told = await told_of(config, caplog, f"{scheme}://nowhere.invalid:8080")
    assert "; no machine has this name: correct the url of this device. It is called" in told


@pytest.mark.parametrize("scheme", APPS)
async def test_something_else_answers(
    config: Config, caplog: pytest.LogCaptureFixture, scheme: str
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        told = await told_of(config, caplog, f"{scheme}://127.0.0.1:{port}")
    assert f"; something else answers there: check the port, and {APPS[scheme]}. It" in told


async def test_a_phone_that_says_nothing(
    config: Config, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_http, "TIMEOUT_S", 0.05)
    with closing(create_server(("127.0.0.1", 0))) as mute:
        told = await told_of(config, caplog, f"http://127.0.0.1:{mute.getsockname()[1]}")
    assert "; see that the phone is on, in this network, and still at this address. It is" in told


async def test_a_connection_that_breaks_without_a_word(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    async with sensor_server.phone() as phone, dialling(config, bad=phone.url) as running:
        await phone.called.get()
        await phone.drop()
        await until(lambda: metric(running, FAILED) >= 1)
    told = next(text for text in caplog.messages if text.startswith("bad: ") and "broke" in text)
    assert "keep the phone in this network, and the app open" in told
