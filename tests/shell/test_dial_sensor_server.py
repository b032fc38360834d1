"""SensorServer dialled over real sockets: a fake phone speaks like the app."""

import asyncio
import logging

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from stream.config import Config
from stream.dial import by_websocket as transport
from stream.sensor_apps.dialects.sensor_server import CLOSED, MISSING
from tests import sensor_server
from tests.core.test_sensor_server import mutated
from tests.dialling import Heard, answers, dialling, metric, timed, until, windows
from tests.sensor_logger import walk
from tests.sensor_server import FakePhone, message

SEVERAL = '/sensors/connect?types=["android.sensor.accelerometer","android.sensor.gyroscope"]'


@pytest.mark.parametrize("path", ["", SEVERAL])
async def test_a_phone_is_called_and_its_readings_become_predictions(
    config: Config, path: str
) -> None:
    async with sensor_server.phone() as phone, dialling(config, a=phone.url + path) as running:
        heard = Heard(running)
        await phone.called.get()
        await phone.feel(timed(walk(13, 50)))
        predictions = await heard.predictions("a", 2)
        assert windows(predictions) == [(0, 200), (40, 240)]
        (quality,) = heard.of("a", "quality")
        assert quality["state"] == "good"
        assert quality["advice"].startswith("Readings are taken as m/s² with Android's signs: this")
        assert metric(running, 'gaitway_frames_total{channel="dial"}') >= 1
        assert metric(running, "gaitway_dial_connected") == 1


async def test_other_sensors_without_acceleration_are_told_of(
    config: Config, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_GATHERED", 5)  # so that groups are full at once
    gyroscope = "android.sensor.gyroscope"
    async with sensor_server.phone() as phone, dialling(config, a=phone.url + SEVERAL) as running:
        heard = Heard(running)
        await phone.called.get()
        for i in range(50):
            await phone.say(message(i / 50, (0.1, 0.2, 0.3), gyroscope))
        await phone.feel(timed(walk(13, 50), t=10))  # in time
        await heard.predictions("a", 2)
        assert not [text for text in caplog.messages if text.startswith("a: ")]
        for i in range(10 * transport.PATIENCE):
            await phone.say(message(30 + i / 50, (0.1, 0.2, 0.3), gyroscope))
        await until(lambda: f"a: {MISSING}" in caplog.messages)
        await phone.feel(timed(walk(13, 50), t=40))
        await heard.predictions("a", 4)
    assert len([text for text in caplog.messages if text.startswith("a: ")]) == 1


async def test_both_urls_give_the_same(config: Config) -> None:
    async with (
        sensor_server.phone() as phone,
        dialling(config, one=phone.url, several=phone.url + SEVERAL) as running,
    ):
        heard = Heard(running)
        await phone.called.get()
        await phone.called.get()
        await phone.feel(timed(walk(13, 50)))
        one = await heard.predictions("one", 2)
        several = await heard.predictions("several", 2)
        assert answers(one) == answers(several)


async def test_the_apps_default_rate_is_named(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    async with sensor_server.phone() as phone, dialling(config, a=phone.url) as running:
        heard = Heard(running)
        await phone.called.get()
        await phone.feel(timed(walk(6, 5), 5))
        await heard.until(lambda: bool(heard.of("a", "quality")))
        (quality,) = heard.of("a", "quality")
        assert quality["state"] == "poor"
        assert quality["advice"] == "Your rate is 5 Hz, at least 20 Hz is needed."
        assert "a: Your rate is 5 Hz, at least 20 Hz is needed." in caplog.messages


async def test_readings_are_gathered(config: Config) -> None:
    async with sensor_server.phone() as phone, dialling(config, a=phone.url) as running:
        heard = Heard(running)
        await phone.called.get()
        await phone.feel(timed(walk(13, 50)))
        await heard.predictions("a", 2)
        frames = metric(running, 'gaitway_frames_total{channel="dial"}')
        assert frames < 13 * 50 / 10


async def test_a_reading_alone_is_not_held_back() -> None:
    async with sensor_server.phone() as phone:
        loop = asyncio.get_running_loop()
        async with connect(f"{phone.url}/sensor/connect?type=android.sensor.light") as one:
            await phone.called.get()
            await phone.say("alone")
            began = loop.time()
            assert await transport._gather(one) == [b"alone"]
            assert loop.time() - began < 10 * transport.GATHER_S


async def test_what_came_before_a_break_is_not_lost() -> None:
    async with sensor_server.phone() as phone:
        url = f"{phone.url}/sensor/connect?type=android.sensor.light"
        async with connect(url) as one:
            await phone.called.get()
            await phone.say("1")
            await phone.say("2")
            await phone.drop()
            assert await transport._gather(one) == [b"1", b"2"]
            with pytest.raises(ConnectionClosed):
                await transport._gather(one)


async def test_a_lost_connection_is_made_again_and_the_session_goes_on(config: Config) -> None:
    samples = timed(walk(26, 50))
    async with (
        sensor_server.phone() as phone,
        sensor_server.phone() as steady,
        dialling(config, a=phone.url, b=steady.url) as running,
    ):
        heard = Heard(running)
        await phone.called.get()
        await steady.called.get()
        await steady.feel(samples)
        for i in range(0, len(samples), 200):
            await phone.feel(samples[i : i + 200])
            await phone.drop()
            await phone.called.get()
        lossy, whole = await heard.predictions("a", 8), await heard.predictions("b", 8)
        # No reading was felt while nobody listened, so all of it must have come through.
        assert answers(lossy) == answers(whole)
        assert len({p["session"] for p in lossy}) == 1
        assert metric(running, 'gaitway_dial_failures_total{device="a"}') == 7
        assert metric(running, 'gaitway_dial_failures_total{device="b"}') == 0


async def test_a_phone_that_started_anew_makes_a_gap(config: Config) -> None:
    async with sensor_server.phone() as phone, dialling(config, a=phone.url) as running:
        heard = Heard(running)
        await phone.called.get()
        await phone.feel(timed(walk(13, 50)))
        await heard.predictions("a", 2)
        await phone.drop()
        await phone.called.get()
        await phone.feel(timed(walk(13, 50), t=-1e6))  # since a later boot
        predictions = await heard.predictions("a", 4)
        assert len({p["session"] for p in predictions}) == 1
        assert metric(running, "gaitway_gaps_total") == 1


async def test_a_phone_that_is_off_is_offline_and_disturbs_nobody(config: Config) -> None:
    off = FakePhone()
    await off.start()
    await off.stop()  # the port is known, and nobody is there
    async with sensor_server.phone() as on, dialling(config, off=off.url, on=on.url) as running:
        heard = Heard(running)
        await on.called.get()
        await on.feel(timed(walk(13, 50)))
        await heard.predictions("on", 2)
        async with httpx.AsyncClient(base_url=running.http_url) as client:
            states = (await client.get("/v1/devices")).json()["devices"]
            assert {s["device"]: s["status"] for s in states} == {"off": "offline", "on": "online"}
            assert (await client.get("/healthz")).status_code == 200
        await off.start()
        await off.called.get()
        await off.feel(timed(walk(13, 50)))
        await heard.predictions("off", 2)
        await off.stop()


async def test_a_phone_that_is_off_is_told_of_once(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    off = FakePhone()
    await off.start()
    await off.stop()
    async with dialling(config, off=off.url) as running:
        failures = running.hub.metrics.dial_failures.labels("off")
        await until(lambda: failures._value.get() >= 5)
    told = [text for text in caplog.messages if text.startswith("off: ")]
    assert len(told) == 1
    assert told[0].startswith(f"off: {off.url}/sensor/connect?type=android.sensor.accelerometer: ")
    assert "cannot be reached: " in told[0]


@pytest.mark.parametrize("code", sorted(CLOSED))
async def test_a_close_code_says_what_to_do(
    config: Config, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    async with sensor_server.phone() as phone, dialling(config, a=phone.url):
        connection = await phone.called.get()
        await connection.close(code, "as the app says it")
        await phone.called.get()  # it calls again all the same
    (told,) = [text for text in caplog.messages if text.startswith("a: ")]
    assert f"{CLOSED[code]} (close code {code}). It is called again and again." in told


async def test_the_app_stops_and_starts(config: Config) -> None:
    async with sensor_server.phone() as phone, dialling(config, a=phone.url) as running:
        heard = Heard(running)
        await phone.called.get()
        await phone.stop()
        await phone.start()
        await phone.called.get()
        await phone.feel(timed(walk(13, 50)))
        await heard.predictions("a", 2)


async def test_the_phone_is_said_goodbye_when_the_service_stops(config: Config) -> None:
    async with sensor_server.phone() as phone:
        async with dialling(config, a=phone.url) as running:
            connection = await phone.called.get()
            await until(lambda: metric(running, "gaitway_dial_connected") == 1)
        await connection.wait_closed()
        assert connection.close_code == 1001


async def test_a_phone_that_is_stuck_does_not_hold_up_the_stop(config: Config) -> None:
    """It accepts connections, and never says a word."""

    async def mute(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await over.wait()
        writer.close()

    called, over = asyncio.Event(), asyncio.Event()
    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(5):
            async with dialling(config, a=f"ws://127.0.0.1:{port}"):
                await called.wait()
        over.set()


async def test_nonsense_is_counted_and_disturbs_nobody_else(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    nonsense = [mutated(seed) for seed in range(200)]
    readings = timed(walk(26, 50))
    async with (
        sensor_server.phone() as bad,
        sensor_server.phone() as good,
        dialling(config, bad=bad.url, good=good.url) as running,
    ):
        heard = Heard(running)
        await bad.called.get()
        connection = await good.called.get()
        for i, payload in enumerate(nonsense):
            if i % 9 == 0:  # ten in a row would break the connection
                await bad.say(message(1e6 + i, (0, 9.8, 0)))
            await bad.say(payload.decode("utf-8", "replace"))
            await good.feel(readings[i * 6 : i * 6 + 6])
        await heard.predictions("good", 7)
        refused = 'gaitway_frames_refused_total{channel="dial",code="bad-frame"}'
        counter = running.hub.metrics.refused.labels("dial", "bad-frame")
        await until(lambda: counter._value.get() >= 100)
        assert metric(running, refused) >= 100
        assert connection.close_code is None
        assert metric(running, 'gaitway_dial_failures_total{device="bad"}') == 0
        assert metric(running, "gaitway_gaps_total") <= 60  # the bad one's own
    assert len([text for text in caplog.messages if text.startswith("bad: ")]) <= 3


async def test_ten_in_a_row_break_the_connection(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    async with sensor_server.phone() as phone, dialling(config, a=phone.url) as running:
        await phone.called.get()
        for _ in range(10):
            await phone.say("hello")
        await phone.called.get()
        assert metric(running, "gaitway_frames_refused_total") == 10
        assert metric(running, "gaitway_dial_failures_total") == 1
    nonsense, why = (text for text in caplog.messages if text.startswith("a: "))
    assert nonsense.startswith("a: not a message of SensorServer: ")
    assert ": 10 messages in a row are refused: not a message of SensorServer: " in why
    assert "see that it is sensor-server that answers there. It is called again and again." in why


async def test_faults_that_alternate_are_told_of_once_each(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    async with sensor_server.phone() as phone, dialling(config, a=phone.url):
        for code in (4001, 4009) * 3:
            connection = await phone.called.get()
            await connection.close(code, "as the app says it")
        await phone.called.get()
    told = [text for text in caplog.messages if text.startswith("a: ")]
    assert [code for text in told for code in (4001, 4009) if CLOSED[code] in text] == [4001, 4009]


async def test_when_there_is_no_room_readings_wait(config: Config) -> None:
    async with sensor_server.phone() as phone, dialling(config, a=phone.url) as running:
        heard = Heard(running)
        batcher = running.hub.models.of("a").batcher
        batcher._room.clear()
        await phone.called.get()
        await phone.feel(timed(walk(13, 50)))
        assert running.hub.current("dial", "a") is None
        batcher._room.set()
        await heard.predictions("a", 2)
