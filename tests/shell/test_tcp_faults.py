"""What goes wrong at the ports of apps: too much nonsense, no room, and who is no app."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from stream import service
from stream.config import Config
from stream.doors import apps, tcp, tcp_messages
from stream.doors.tcp_messages import Connection
from stream.errors import DeviceError, NotDurableError
from stream.live import Live
from stream.sensor_apps.dialects.hyperimu import DIALECT
from stream.service import Service
from tests.sensor_apps import hyperimu_csv, hyperimu_json, sensor_streamer
from tests.sensor_logger import walk
from tests.shell.test_tcp import (
    closed,
    on_linux,
    opened,
    phone,
    refused,
    samples,
    send,
    spoil,
    until,
    with_ports,
)


@pytest.fixture
async def listening(config: Config) -> AsyncIterator[Service]:
    async with service.running(with_ports(config)) as running:
        yield running


async def test_no_more_than_ten_in_a_row_are_read(listening: Service) -> None:
    await spoil(listening, "hyperimu", b"nonsense\n" * 5000)
    assert refused(listening) == 10


async def test_what_reads_well_but_fits_no_session_is_nonsense_too(
    listening: Service, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DeviceError("it fits nowhere")

    monkeypatch.setattr(apps, "feed", refuse)
    allowed = listening.gate.by_tcp("a", "127.0.0.1")
    connection = Connection("a", DIALECT, config, listening.hub, allowed)
    (message,) = hyperimu_csv(walk(0.01))
    for _ in range(9):
        await connection.feed(message)
    with pytest.raises(DeviceError, match="10 messages in a row were nonsense: it fits nowhere"):
        await connection.feed(message)


async def test_what_is_read_before_nonsense_is_taken(listening: Service) -> None:
    nonsense = b"nonsense\n" * 9
    one, other = (b"".join(hyperimu_csv(walk(3), t=t)) for t in (0, 3))
    await spoil(listening, "hyperimu", nonsense + one + nonsense + other + nonsense)
    assert refused(listening) == 27
    assert samples(listening) == 600


async def test_a_web_pages_request_is_refused(
    listening: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """Any page may have its visitor's browser send this, the body being whatever it likes."""
    for app, write in (("hyperimu", hyperimu_json), ("sensor-streamer", sensor_streamer)):
        reader, writer = await opened(listening, app)
        body = b"".join(write(walk(3)))
        writer.write(b"POST /{?{ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n\r\n")
        writer.write(body)
        async with asyncio.timeout(10):
            assert await closed(reader)
        writer.close()
        assert f"closed: this port is for {app}, and HTTP was spoken" in caplog.text
    assert samples(listening) == 0
    assert list(listening.hub.devices) == []


async def test_an_overload_holds_back_and_loses_nothing(
    listening: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_messages, "AGAIN_S", 0.01)
    tried, room = asyncio.Event(), listening.hub.check_room

    def full(_live: Live) -> None:
        tried.set()
        raise NotDurableError("the disk is full")

    monkeypatch.setattr(listening.hub, "check_room", full)
    async with phone(listening, "hyperimu") as connection, asyncio.timeout(10):
        await send(connection, b"".join(hyperimu_csv(walk(3))))
        await tried.wait()
        assert samples(listening) == 0
        monkeypatch.setattr(listening.hub, "check_room", room)
        await until(lambda: samples(listening) == 300)
    assert refused(listening, "not-durable") == 0


async def test_a_phone_that_is_held_back_does_not_hold_up_a_stop(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_messages, "AGAIN_S", 0.01)
    monkeypatch.setattr(tcp, "CLOSE_S", 60.0)
    tried = asyncio.Event()

    def full(_live: Live) -> None:
        tried.set()
        raise NotDurableError("the disk is full")

    async with asyncio.timeout(20), service.running(with_ports(config)) as running:
        monkeypatch.setattr(running.hub, "check_room", full)
        reader, writer = await opened(running, "hyperimu")
        await send(writer, b"".join(hyperimu_csv(walk(3))))
        await tried.wait()
    async with asyncio.timeout(5):
        assert await closed(reader)
    writer.close()


@on_linux
async def test_a_phone_that_never_learns_hides_no_other(
    listening: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp, "WARN_OF", 2)
    for address in ("127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.4"):
        await spoil(listening, "hyperimu", b"0.1,9.8,0.3\r\n" * 10, address)
    said = [r.getMessage() for r in caplog.records if "closed" in r.getMessage()]
    assert [text.split(": ")[1] for text in said] == ["hyperimu-127.0.0.2", "hyperimu-127.0.0.3"]
