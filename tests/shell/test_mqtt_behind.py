"""A broker that is slow, or away, gets later what it had no room for: in order, and all of it."""

import asyncio
import json
import logging
import signal
from pathlib import Path

import aiomqtt
import httpx
import msgspec
import pytest

from stream import config, service
from stream.config import Journal
from stream.errors import JournalError
from stream.journal import recovery
from stream.journal.archive import Archive
from stream.journal.store import Store
from stream.service import Service
from tests.conftest import Broker
from tests.dialling import metric, until
from tests.shell.test_mqtt import client_of, joining, listening, text
from tests.shell.test_publications import Clock

FRAMES, WINDOWS = 20, 16
PAGE = 3


def narrow(settings: config.Config, url: str) -> config.Config:
    """Give a service a broker, with next to no room for what that is to get."""
    mqtt = config.Mqtt(url=url, reconnect_max_s=0.2, max_queue=2, max_inflight=2)
    return msgspec.structs.replace(settings, mqtt=mqtt)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("history", "archive"):
        monkeypatch.setattr(f"stream.journal.{module}.PAGE", PAGE)


async def walk(running: Service) -> None:
    """Stream by HTTP until all predictions are out."""
    async with httpx.AsyncClient(base_url=running.http_url) as client:
        for seq in range(FRAMES):
            await client.post("/v1/frames?device=a", content=text(seq))
    await until(lambda: metric(running, "gaitway_predictions_total") == WINDOWS)


async def heard(listener: aiomqtt.Client) -> list[int]:
    """Return the windows of the predictions that come, up to the last one."""
    windows: list[int] = []
    async with asyncio.timeout(20):
        async for message in listener.messages:
            windows.append(json.loads(str(message.payload, "utf-8"))["window"])
            if windows[-1] == WINDOWS - 1:
                break
    return windows


async def a_slow_one_hears_all(settings: config.Config, broker: Broker) -> None:
    """Let a broker stand still during a walk."""
    async with (
        joining(narrow(settings, broker.url)) as running,
        listening(broker.url, "gaitway/a/prediction") as listener,
    ):
        broker.signal(signal.SIGSTOP)
        await walk(running)
        broker.signal(signal.SIGCONT)
        assert await heard(listener) == list(range(WINDOWS))
        assert metric(running, "gaitway_mqtt_messages_dropped_total") == 0


async def test_a_slow_one(config: config.Config, mortal_broker: Broker) -> None:
    await a_slow_one_hears_all(config, mortal_broker)


async def test_one_that_is_away(config: config.Config, mortal_broker: Broker) -> None:
    url, lasting = mortal_broker.url, {"identifier": "listener", "clean_session": False}
    async with joining(narrow(config, url)) as running:
        async with client_of(url, **lasting) as listener:
            await listener.subscribe("gaitway/a/prediction", qos=1)
        mortal_broker.stop()  # it keeps who is subscribed
        await walk(running)
        mortal_broker.start()
        async with client_of(url, **lasting) as listener:
            assert await heard(listener) == list(range(WINDOWS))
        assert metric(running, "gaitway_mqtt_messages_dropped_total") == 0


async def test_the_history_cannot_be_read_for_a_while(
    config: config.Config, mortal_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, fails = Archive.rows, [True, True]

    def now_and_then(*args: object) -> object:
        if fails:
            fails.pop()
            raise JournalError("a fault of the test's")
        return rows(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(Archive, "rows", now_and_then)
    await a_slow_one_hears_all(config, mortal_broker)
    assert not fails


async def test_it_goes_back_from_the_loss_on_however_long_it_is_away(
    config: config.Config, mortal_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker that was killed has forgotten the last seconds before that."""
    caplog.set_level(logging.DEBUG, "stream.mqtt.bridge")
    async with joining(narrow(config, mortal_broker.url)) as running:
        assert running.bridge is not None
        bridge, waiting, clock = running.bridge, running.bridge._publications, Clock()
        waiting._clock = clock
        await walk(running)
        await until(lambda: waiting.done >= WINDOWS)
        mortal_broker.kill()
        await until(lambda: not bridge.connected)
        clock.now += 600
        caplog.clear()
        await until(lambda: len(caplog.messages) > 2)  # tries, that fail
        assert waiting._safe == 0


async def test_nothing_is_sent_before_it_is_known_what_the_broker_has(
    config: config.Config, mortal_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lasting = Journal(path=str(tmp_path / "journal.db"), commit_ms=1)
    kept = msgspec.structs.replace(config, journal=lasting)
    async with service.running(kept) as without_broker:
        await walk(without_broker)
    load, broken = recovery.load, [True]

    def failing(store: Store) -> recovery.Kept:
        if broken:
            raise JournalError("a fault of the test's")
        return load(store)

    monkeypatch.setattr(recovery, "load", failing)
    monkeypatch.setattr("stream.journal.journal.RETRY_S", 0.05)
    async with (
        listening(mortal_broker.url, "gaitway/#") as listener,
        joining(narrow(kept, mortal_broker.url)) as running,
        httpx.AsyncClient(base_url=running.http_url) as client,
    ):
        broken.clear()
        topics: list[str] = []
        async with asyncio.timeout(20):
            async for message in listener.messages:
                topics.append(str(message.topic))
                if topics[-1] == "gaitway/status":
                    await client.post("/v1/frames?device=b", content=text(0))
                if topics[-1] == "gaitway/b/status":
                    break
    assert not [topic for topic in topics if topic.endswith(("prediction", "event"))]
