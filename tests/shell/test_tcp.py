"""HyperIMU and SensorStreamer over real sockets: fake phones connect and send as the apps do."""

import asyncio
import json
import random
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import stamina
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect

from stream import service
from stream.config import Config, Device, Hub, Limits, Tcp
from stream.doors.tcp_messages import Connection
from stream.errors import ConfigError
from stream.events import Quality
from stream.sensor_apps.dialects import sensor_streamer as sensor_streamer_dialect
from stream.service import Service
from tests.sensor_apps import hyperimu_csv, hyperimu_json, mutated, sensor_streamer
from tests.sensor_logger import face_up, walk
from tests.shell.test_service import serving

Writer = Callable[[NDArray[np.float64]], list[bytes]]
APPS: list[tuple[str, Writer]] = [
    ("hyperimu", hyperimu_json),
    ("hyperimu", hyperimu_csv),
    ("sensor-streamer", sensor_streamer),
]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs a second loopback address")


@pytest.fixture
def config_with_ports(config: Config) -> Config:
    return with_ports(config)


def with_ports(settings: Config, **changes: Any) -> Config:
    """Give each app a port of the system's choice."""
    return msgspec.structs.replace(settings, tcp=Tcp(hyperimu=0, sensor_streamer=0, **changes))


@pytest.fixture
async def listening(config_with_ports: Config) -> AsyncIterator[Service]:
    async with service.running(config_with_ports) as running:
        yield running


@asynccontextmanager
async def phone(
    running: Service, app: str, address: str = "127.0.0.1"
) -> AsyncIterator[asyncio.StreamWriter]:
    """Connect as a phone at that address does."""
    _, writer = await opened(running, app, address)
    try:
        yield writer
    finally:
        writer.close()


async def opened(
    running: Service, app: str, address: str = "127.0.0.1"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    port = running.doors.ports[app]
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))


async def send(writer: asyncio.StreamWriter, data: bytes, seed: int = 0) -> None:
    """Send in pieces, as a network would deliver them."""
    source = random.Random(seed)
    while data:
        n = source.randint(1, 5000)
        writer.write(data[:n])
        await writer.drain()
        data = data[n:]


@asynccontextmanager
async def listener(running: Service, query: str) -> AsyncIterator[ClientConnection]:
    async with connect(f"{running.ws_url}/v1/events?{query}") as socket, asyncio.timeout(20):
        yield socket


async def heard(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next message of that type."""
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if message["type"] == kind:
            return message


async def until(condition: Callable[[], bool]) -> None:
    async for attempt in stamina.retry_context(on=AssertionError, wait_initial=0.02, attempts=40):
        with attempt:
            assert condition()


def count(running: Service, name: str) -> float:
    """Return a counter's value, as Prometheus would read it."""
    found = re.search(
        rf"^gaitway_{re.escape(name)} (\S+)$", running.hub.metrics.render().decode(), re.M
    )
    return float(found[1]) if found else 0.0


def refused(running: Service, code: str = "bad-frame") -> float:
    return count(running, f'frames_refused_total{{channel="tcp",code="{code}"}}')


def samples(running: Service) -> float:
    return count(running, "samples_total")


@pytest.mark.parametrize(("app", "write"), APPS)
async def test_sent_samples_become_predictions(listening: Service, app: str, write: Writer) -> None:
    device = f"{app}-127.0.0.1"
    async with (
        listener(listening, f"device={device}&type=prediction,quality") as events,
        phone(listening, app) as connection,
    ):
        await send(connection, b"".join(write(walk(13))))
        quality = await heard(events, "quality")
        windows = [(await heard(events, "prediction"))["window"] for _ in range(2)]
    assert windows == [0, 1]
    assert (quality["state"], round(quality["rate_hz"])) == ("good", 100)
    assert quality["advice"] == (
        "Readings are taken as m/s² with Android's signs: this app always sends them so."
    )
    assert count(listening, 'frames_total{channel="tcp"}') > 0


@pytest.mark.parametrize(("app", "write"), APPS)
async def test_pieces_change_no_prediction(config: Config, app: str, write: Writer) -> None:
    answers: list[dict[str, float]] = []
    data = b"".join(write(walk(13)))
    for size in (len(data), 1000):
        async with (
            service.running(with_ports(config)) as running,
            listener(running, "type=prediction") as events,
            phone(running, app) as connection,
        ):
            for i in range(0, len(data), size):
                connection.write(data[i : i + size])
                await connection.drain()
            answers += [(await heard(events, "prediction"))["probabilities"] for _ in range(2)]
    assert answers[:2] == [pytest.approx(answer, abs=1e-6) for answer in answers[2:]]


async def test_a_phone_that_connects_again_goes_on_in_its_session(listening: Service) -> None:
    packets = sensor_streamer(walk(13))
    async with listener(listening, "type=prediction") as events:
        for part in (packets[:500], packets[500:]):
            async with phone(listening, "sensor-streamer") as connection:
                await send(connection, b"".join(part))
        predictions = [await heard(events, "prediction") for _ in range(2)]
    assert [p["window"] for p in predictions] == [0, 1]
    assert len({p["session"] for p in predictions}) == 1


@on_linux
async def test_phones_are_told_apart_by_address_and_app(listening: Service) -> None:
    async with (
        phone(listening, "hyperimu", "127.0.0.2") as ann,
        phone(listening, "hyperimu", "127.0.0.3") as ben,
        phone(listening, "sensor-streamer", "127.0.0.2") as also_ann,
    ):
        await send(ann, b"".join(hyperimu_json(walk(3))))
        await send(ben, b"".join(hyperimu_csv(walk(3))))
        await send(also_ann, b"".join(sensor_streamer(walk(3))))
        await until(lambda: samples(listening) == 900)
    assert {device.name for device in listening.hub.devices} == {
        "hyperimu-127.0.0.2",
        "hyperimu-127.0.0.3",
        "sensor-streamer-127.0.0.2",
    }


async def test_a_second_connection_replaces_the_first(listening: Service) -> None:
    reader, first = await opened(listening, "hyperimu")
    await send(first, b"".join(hyperimu_json(walk(3))))
    await until(lambda: samples(listening) == 300)
    async with phone(listening, "hyperimu") as second:
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        await send(second, b"".join(hyperimu_json(walk(3), t=3)))
        await until(lambda: samples(listening) == 600)
    first.close()


async def test_iphones_signs_are_a_setting(config: Config) -> None:
    """HyperIMU is Android's only, but what the operator says counts more."""
    mine = {"hyperimu-127.0.0.1": Device(axes="ios")}
    settings = msgspec.structs.replace(with_ports(config), devices=mine)
    async with (
        service.running(settings) as running,
        listener(running, "type=quality") as events,
        phone(running, "hyperimu") as connection,
    ):
        await send(connection, b"".join(hyperimu_json(-face_up(5))))
        quality = await heard(events, "quality")
    assert quality["advice"] == (
        "Readings are taken as m/s² with iOS's signs: config.toml says so."
    )


async def test_what_is_wrong_is_in_quality(listening: Service) -> None:
    async with (
        listener(listening, "type=quality") as events,
        phone(listening, "hyperimu") as connection,
    ):
        await send(connection, b"".join(hyperimu_csv(walk(6, 10), 10.0)))
        quality = await heard(events, "quality")
    assert (quality["state"], quality["advice"]) == (
        "poor",
        "Your rate is 10 Hz, at least 20 Hz is needed.",
    )


async def test_missing_acceleration_is_said_once(listening: Service, config: Config) -> None:
    said: list[object] = []
    listening.hub.publisher.add_sink(lambda _device, message, _channel: said.append(message))
    allowed = listening.gate.by_tcp("a", "127.0.0.1")
    connection = Connection("a", sensor_streamer_dialect.DIALECT, config, listening.hub, allowed)
    for _ in range(6):
        await connection.feed(b'{"light":{"value":118.0,"timestamp":1}}\n')
    assert [message.advice for message in said if isinstance(message, Quality)] == [
        "No acceleration arrives: in SensorStreamer's packet, include the accelerometer."
    ]


@pytest.mark.parametrize("app", ["hyperimu", "sensor-streamer"])
async def test_ten_refused_in_a_row_close(
    listening: Service, app: str, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await opened(listening, app)
    writer.write(b"nonsense\n" * 9)
    writer.write(hyperimu_json(walk(1))[0] if app == "hyperimu" else sensor_streamer(walk(1))[0])
    await until(lambda: refused(listening) == 9)
    writer.write(b"nonsense\n" * 10)
    async with asyncio.timeout(10):
        assert await closed(reader)
    assert refused(listening) == 19
    writer.close()
    assert f"TCP: {app}-127.0.0.1: closed: 10 messages in a row were nonsense: not a" in caplog.text


async def test_a_phone_that_never_learns_is_logged_seldom(
    listening: Service, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        await spoil(listening, "hyperimu", b"0.1,9.8,0.3\r\n" * 10)
    assert len([r for r in caplog.records if "closed" in r.getMessage()]) == 1


async def closed(reader: asyncio.StreamReader) -> bool:
    """Wait until the server has hung up; with unread bytes left, that is a reset."""
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


async def test_nonsense_alone_makes_no_device(listening: Service) -> None:
    async with phone(listening, "hyperimu") as connection:
        connection.write(b"nonsense\r\nHost: a\r\n\r\n")
        await until(lambda: refused(listening) == 2)
    assert list(listening.hub.devices) == []


@pytest.mark.parametrize("app", ["hyperimu", "sensor-streamer"])
async def test_a_message_without_end_closes(listening: Service, app: str) -> None:
    reader, writer = await opened(listening, app)
    writer.write(b"{" + b"x" * 100_000)
    async with asyncio.timeout(10):
        assert await closed(reader)
    assert refused(listening) == 1
    writer.close()


async def test_who_sends_faster_than_allowed_is_held_back_and_loses_nothing(
    config: Config,
) -> None:
    limits = Limits(exempt=(), burst_s=1.0, device_samples_per_s=500.0)
    async with (
        service.running(msgspec.structs.replace(with_ports(config), limits=limits)) as running,
        phone(running, "hyperimu") as connection,
    ):
        for part in hyperimu_csv(walk(20, 50)):
            connection.write(part)
            await connection.drain()
        await until(lambda: samples(running) == 20 * 50)
        assert 'turned_away_total{door="tcp"' not in shown(running)


async def test_connections_of_one_address_are_bounded(config: Config) -> None:
    limits = Limits(exempt=(), address_connections=2)
    async with service.running(
        msgspec.structs.replace(with_ports(config), limits=limits)
    ) as running:
        two = [await opened(running, app) for app in ("hyperimu", "sensor-streamer")]
        await until(lambda: len(running.doors._served) == 2)
        reader, writer = await opened(running, "hyperimu")
        async with asyncio.timeout(10):
            assert await closed(reader)
        assert 'turned_away_total{door="tcp",reason="connections"} 1.0' in shown(running)
        for _, one in [*two, (reader, writer)]:
            one.close()


def shown(running: Service) -> str:
    return running.hub.metrics.render().decode()


async def test_a_silent_connection_is_ended(config: Config) -> None:
    settings = msgspec.structs.replace(with_ports(config), hub=Hub(expires_s=0.1))
    async with service.running(settings) as running:
        reader, writer = await opened(running, "hyperimu")
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()


async def test_many_connections_of_one_phone_are_bounded_too(config: Config) -> None:
    async with service.running(with_ports(config, max_connections=3)) as running:
        many = [await opened(running, "hyperimu") for _ in range(20)]
        await until(lambda: refused(running, "overloaded") >= 17)
    for reader, writer in many:
        async with asyncio.timeout(10):
            assert await closed(reader)
        writer.close()


@on_linux
async def test_connections_are_bounded(config: Config) -> None:
    async with (
        service.running(with_ports(config, max_connections=2)) as running,
        phone(running, "hyperimu") as first,
        phone(running, "sensor-streamer"),
    ):
        await send(first, b"".join(hyperimu_json(walk(3))))
        reader, third = await opened(running, "hyperimu", "127.0.0.2")
        async with asyncio.timeout(10):
            assert await closed(reader)
        third.close()
        assert refused(running, "overloaded") == 1
        await until(lambda: samples(running) == 300)


async def test_too_many_devices_close_the_new_one(config: Config) -> None:
    settings = msgspec.structs.replace(with_ports(config), hub=Hub(max_devices=1, online_s=60))
    async with service.running(settings) as running, phone(running, "hyperimu") as first:
        await send(first, b"".join(hyperimu_json(walk(3))))
        await until(lambda: samples(running) == 300)
        reader, second = await opened(running, "sensor-streamer")
        second.write(sensor_streamer(walk(1))[0])
        async with asyncio.timeout(10):
            assert await closed(reader)
        second.close()
    assert refused(running, "overloaded") == 1


@on_linux
@pytest.mark.parametrize(
    ("app", "names"),
    [
        ("hyperimu", ("hyperimu/objects.json", "hyperimu/lines.csv", "hyperimu/hash.csv")),
        ("sensor-streamer", ("sensor-streamer/packets.json", "sensor-streamer/apart.json")),
    ],
)
async def test_200_malformed_messages_disturb_nobody_else(
    listening: Service, app: str, names: tuple[str, ...]
) -> None:
    write = hyperimu_json if app == "hyperimu" else sensor_streamer
    good = write(walk(13))
    async with (
        listener(listening, f"device={app}-127.0.0.2&type=prediction") as events,
        phone(listening, app, "127.0.0.2") as connection,
    ):
        for seed in range(200):
            await spoil(listening, app, mutated(random.Random(seed), *names))
            await send(connection, b"".join(good[7 * seed : 7 * seed + 7]))
        windows = [(await heard(events, "prediction"))["window"] for _ in range(2)]
    assert windows == [0, 1]
    assert refused(listening) > 50
    (device,) = [d for d in listening.hub.devices if d.name == f"{app}-127.0.0.2"]
    assert len(device.sessions) == 1


async def spoil(running: Service, app: str, payload: bytes, address: str = "127.0.0.1") -> None:
    """Send nonsense over a connection of its own; return once the server is through with it."""
    reader, writer = await opened(running, app, address)
    writer.write(payload + b"\n")
    writer.write_eof()
    async with asyncio.timeout(10):
        assert await closed(reader)
    writer.close()


async def test_a_stop_lets_nobody_in_and_hangs_up(config_with_ports: Config) -> None:
    async with service.running(config_with_ports) as running:
        ports = list(running.doors.ports.values())
        reader, writer = await opened(running, "hyperimu")
        await send(writer, b"".join(hyperimu_json(walk(3))))
        await until(lambda: samples(running) == 300)
    async with asyncio.timeout(5):
        assert await closed(reader)
    writer.close()
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_what_was_sent_is_answered_before_a_stop(config_with_ports: Config) -> None:
    async with service.running(config_with_ports) as running, phone(running, "hyperimu") as one:
        await send(one, b"".join(hyperimu_json(walk(13))))
        await until(lambda: samples(running) == 1300)
    assert count(running, "predictions_total") == 2


async def test_ports_are_off_unless_they_are_set(running: Service) -> None:
    assert running.doors.ports == {}


async def test_a_port_that_is_taken_is_named(config: Config) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = msgspec.structs.replace(config, tcp=Tcp(sensor_streamer=port))
        with pytest.raises(ConfigError, match=rf"tcp\.sensor_streamer = {port}: cannot listen: "):
            async with service.running(settings):
                pass


async def test_the_program_prints_its_ports(tmp_path: Path) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text("[tcp]\nhyperimu = 0\n")
    async with serving("--config", str(settings)) as (process, _), asyncio.timeout(30):
        assert process.stdout is not None
        while not (found := re.search(rb"127.0.0.1:(\d+) for ", await process.stdout.readline())):
            pass
        _, writer = await asyncio.open_connection("127.0.0.1", int(found[1]))
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        writer.close()
