"""phyphox asked over real sockets: a fake phone answers like the app."""

import httpx
import numpy as np
import pytest

from stream.config import Config
from stream.sensor_apps.dialects import phyphox as dialect
from tests import phyphox
from tests.core.test_phyphox import GOLDEN
from tests.core.test_sensor_server import mutated
from tests.dialling import Heard, dialling, metric, timed, until, windows
from tests.sensor_logger import walk


async def test_a_phone_is_started_and_its_buffers_become_predictions(config: Config) -> None:
    async with phyphox.phone() as phone, dialling(config, a=phone.url) as running:
        heard = Heard(running)
        await phone.told_to_start()
        assert phone.measuring
        samples = timed(walk(13, 100), 100)
        for i in range(0, len(samples), 50):
            phone.feel(samples[i : i + 50])
            await phone.asked_again()
        predictions = await heard.predictions("a", 2)
        assert windows(predictions) == [(0, 200), (40, 240)]
        await until(lambda: metric(running, "gaitway_samples_total") == 1300)
        (quality,) = heard.of("a", "quality")
        assert (quality["state"], quality["rate_hz"]) == ("good", 100.0)
        assert quality["advice"].startswith("Readings are taken as m/s² with Android's signs: this")
        assert metric(running, 'gaitway_dial_failures_total{device="a"}') == 0
        assert all(
            "%7C" in query for query in phone.asked if "accX" in query and "full" not in query
        )


async def test_what_was_measured_before_the_first_contact_is_left_alone(config: Config) -> None:
    async with phyphox.phone() as phone:
        phone.measuring = True
        phone.feel(timed(walk(30, 50)))
        async with dialling(config, a=phone.url) as running:
            await phone.asked_again(2)
            phone.feel(timed(walk(13, 50), t=30))
            heard = Heard(running)
            await heard.predictions("a", 2)
            assert metric(running, "gaitway_samples_total") == 650
            assert not any(asked.startswith("/control") for asked in phone.asked)


async def test_an_outage_loses_nothing_since_the_phone_keeps_it(config: Config) -> None:
    samples = timed(walk(26, 50))
    async with phyphox.phone() as phone, dialling(config, a=phone.url) as running:
        heard = Heard(running)
        await phone.told_to_start()
        phone.feel(samples[:300])
        await until(lambda: running.hub.current("dial", "a") is not None)
        await phone.stop()
        failures = running.hub.metrics.dial_failures.labels("a")
        await until(lambda: failures._value.get() >= 2)
        phone.feel(samples[300:])
        await phone.start()
        predictions = await heard.predictions("a", 8)
        assert [p["window"] for p in predictions] == list(range(8))
        assert len({p["session"] for p in predictions}) == 1
        assert metric(running, "gaitway_samples_total") == len(samples)
        assert metric(running, "gaitway_samples_dropped_total") == 0
        assert metric(running, "gaitway_gaps_total") == 0


async def test_a_pause_ends_the_session(config: Config) -> None:
    async with phyphox.phone() as phone, dialling(config, a=phone.url) as running:
        heard = Heard(running)
        await phone.told_to_start()
        phone.feel(timed(walk(13, 50)))
        await heard.predictions("a", 2)
        phone.measuring = False
        await phone.asked_again(2)
        assert not phone.measuring  # what a person paused stays paused
        phone.measuring = True
        phone.feel(timed(walk(13, 50), t=13))  # its clock stood still meanwhile
        predictions = await heard.predictions("a", 4)
        assert [p["window"] for p in predictions] == [0, 1, 0, 1]
        assert len({p["session"] for p in predictions}) == 2
        assert [e["event"] for e in heard.of("a", "activity")][:1] == ["ended"]


async def test_what_a_person_paused_stays_paused_after_a_lost_connection(config: Config) -> None:
    async with phyphox.phone() as phone, dialling(config, a=phone.url) as running:
        await phone.told_to_start()
        await phone.asked_again(2)
        phone.measuring = False
        await phone.stop()
        failures = running.hub.metrics.dial_failures.labels("a")
        await until(lambda: failures._value.get() >= 2)
        await phone.start()
        await phone.asked_again(3)
        assert not phone.measuring
        phone.open("ffffff")
        await until(lambda: phone.measuring)  # another experiment is met for the first time
    assert sum(asked.startswith("/control") for asked in phone.asked) == 2


@pytest.mark.parametrize("told_elsewhere", [False, True])
async def test_cleared_buffers_begin_a_session(config: Config, told_elsewhere: bool) -> None:
    async with phyphox.phone() as phone, dialling(config, a=phone.url) as running:
        heard = Heard(running)
        await phone.told_to_start()
        phone.feel(timed(walk(20, 50)))
        await heard.predictions("a", 5)
        phone.clear()
        phone._everything = not told_elsewhere  # the next to ask is told, a browser perhaps
        phone.measuring = True
        phone.feel(timed(walk(13, 50)))
        predictions = await heard.predictions("a", 7)
        assert [p["window"] for p in predictions] == [*range(5), 0, 1]
        assert len({p["session"] for p in predictions}) == 2
        assert metric(running, "gaitway_samples_total") == 1000 + 650


async def test_another_experiment_begins_a_session(config: Config) -> None:
    async with phyphox.phone() as phone, dialling(config, a=phone.url) as running:
        heard = Heard(running)
        await phone.told_to_start()
        phone.feel(timed(walk(13, 50)))
        await heard.predictions("a", 2)
        phone.open("ffffff")
        phone.measuring = True
        phone.feel(timed(walk(15, 50)))
        predictions = await heard.predictions("a", 5)
        assert [p["window"] for p in predictions] == [0, 1, 0, 1, 2]


async def test_an_experiment_without_acceleration_says_what_to_open(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    async with phyphox.phone() as phone:
        phone.open("eeeeee", ("gyr_time", "gyrX", "gyrY", "gyrZ"))
        async with dialling(config, a=phone.url) as running:
            failures = running.hub.metrics.dial_failures.labels("a")
            await until(lambda: failures._value.get() >= 1)
            phone.open("dddddd")
            await phone.told_to_start()  # goes on by itself
    assert any(dialect.MISSING in text for text in caplog.messages)


async def test_a_phone_that_refuses_to_start_says_what_to_do(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    async with phyphox.phone() as phone:
        phone.refuses_to_start = True
        async with dialling(config, a=phone.url):
            await phone.told_to_start()
            await phone.asked_again(2)
    assert sum(asked.startswith("/control") for asked in phone.asked) == 1
    assert "a: phyphox doesn't start to measure: press play on the phone" in caplog.messages


async def test_an_answer_too_long_is_given_up(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "MAX_BYTES", 20_000)
    async with phyphox.phone() as phone, dialling(config, a=phone.url) as running:
        heard = Heard(running)
        await phone.told_to_start()
        phone.feel(timed(walk(60, 50)))
        refused = running.hub.metrics.refused.labels("dial", "bad-frame")
        await until(lambda: refused._value.get() >= 1)
        await phone.asked_again(2)
        for second in range(60, 73):
            phone.feel(timed(walk(1, 50), t=second))
            await phone.asked_again(2)
        await heard.predictions("a", 2)
        assert metric(running, "gaitway_samples_total") == 650


async def test_nonsense_is_counted_and_disturbs_nobody_else(config: Config) -> None:
    async with (
        phyphox.phone() as bad,
        phyphox.phone() as good,
        dialling(config, bad=bad.url, good=good.url) as running,
    ):
        heard = Heard(running)
        await good.told_to_start()
        await bad.told_to_start()
        bad.nonsense = [mutated(seed, "partial.json", GOLDEN) for seed in range(200)]
        samples = timed(walk(26, 50))
        for i in range(0, len(samples), 50):
            good.feel(samples[i : i + 50])
            await good.asked_again()
        predictions = await heard.predictions("good", 8)
        assert [p["window"] for p in predictions] == list(range(8))
        await until(lambda: not bad.nonsense)
        await bad.asked_again(3)
        assert metric(running, "gaitway_frames_refused_total") >= 100
        assert metric(running, 'gaitway_dial_failures_total{device="good"}') == 0
        bad.measuring = True
        before = len(heard.of("bad", "prediction"))
        bad.feel(timed(walk(13, 50)))
        await heard.predictions("bad", before + 2)


async def test_a_phone_that_is_off_is_offline(config: Config) -> None:
    async with phyphox.phone() as phone:
        await phone.stop()
        async with dialling(config, a=phone.url) as running:
            failures = running.hub.metrics.dial_failures.labels("a")
            await until(lambda: failures._value.get() >= 2)
            async with httpx.AsyncClient(base_url=running.http_url) as client:
                (state,) = (await client.get("/v1/devices")).json()["devices"]
            assert (state["device"], state["status"]) == ("a", "offline")
            assert metric(running, "gaitway_dial_connected") == 0


async def test_eight_digits_are_near_enough(config: Config) -> None:
    """Late in a long experiment times have fewer decimals; none is taken twice, or left out."""
    xyz = walk(13, 200)
    async with phyphox.phone() as phone:
        phone.measuring = True
        phone.feel([(20_000.0, np.zeros(3))])
        async with dialling(config, a=phone.url) as running:
            await phone.asked_again(2)
            samples = timed(xyz, 200, t=20_000.1234567)
            for i in range(0, len(samples), 37):
                phone.feel(samples[i : i + 37])
                await phone.asked_again()
            await phone.asked_again(2)
            assert metric(running, "gaitway_samples_total") == len(xyz)
