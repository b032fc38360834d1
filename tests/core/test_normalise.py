"""Readings of any app become m/s² with gravity and Android's sign, however they were cut."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.errors import DeviceError
from stream.sensor_apps.dialects import SENSOR_LOGGER, sensor_logger
from stream.sensor_apps.intake import Intake
from stream.sensor_apps.normalise import MAX_HELD, Normaliser, time_unit
from stream.sensor_apps.readings import SECONDS, Push, Reading, TimeUnit, Traits
from stream.wire import Frame, Told
from stream.wire.limits import STANDARD_GRAVITY
from tests.core.streams import Outcome, run
from tests.sensor_logger import Entry, Style, entries, face_up, walk

BEGINNINGS = (0.0, 12.3, 3600.0 * 24 * 30, 1.79e9)  # s: since boot, and since 1970
UNDETERMINED = "The sign is undetermined: lay the phone face up"


def readings_of(payload: Sequence[Entry]) -> list[Reading]:
    return [
        Reading(
            sensor_logger.KINDS[e["name"]], float(e["time"]), tuple(e["values"][a] for a in "xyz")
        )
        for e in payload
        if e["name"] in sensor_logger.KINDS
    ]


def normalised(
    readings: Sequence[Reading], traits: Traits = sensor_logger.TRAITS, told: Told | None = None
) -> Frame:
    frame = Normaliser("b1", traits, 40.0).feed(readings, told or Told())
    assert frame is not None
    return frame


@pytest.mark.parametrize("begin", BEGINNINGS)
@pytest.mark.parametrize("unit", list(SECONDS))
@pytest.mark.parametrize("rate_hz", [2.0, 5.0, 20.0, 49.8, 100.0, 404.0, 1000.0])
def test_the_unit_of_time_is_told_by_the_intervals(
    unit: TimeUnit, rate_hz: float, begin: float
) -> None:
    jitter = np.random.default_rng(0).uniform(-0.2, 0.2, 20)
    t = begin + (np.arange(20) + jitter) / rate_hz
    assert time_unit((t / SECONDS[unit]).tolist()) == unit


def test_too_few_times_tell_nothing() -> None:
    assert time_unit([1.0] * 50) is None


@pytest.mark.parametrize("unit", list(SECONDS))
def test_times_come_out_in_seconds(unit: TimeUnit) -> None:
    t = 1.79e9 + np.arange(300) / 100
    xyz = walk(3)
    readings = [Reading("total", a / SECONDS[unit], tuple(b)) for a, b in zip(t, xyz, strict=True)]
    frame = normalised(readings, Traits())
    assert frame.t is not None
    np.testing.assert_allclose(frame.t, t, atol=1e-6, rtol=0)
    np.testing.assert_allclose(frame.xyz, xyz, rtol=1e-5)


@pytest.mark.parametrize("made", [walk, face_up])
@pytest.mark.parametrize(
    ("style", "sign", "note"),
    [
        ("android", 1, "taken as m/s² with Android's signs: only Android sends totalacceleration"),
        (
            "ios-raw",
            1,
            "taken as g with iOS's signs: only iOS sends accelerometeruncalibrated in g",
        ),
        ("standardised", 1, UNDETERMINED),
        ("ios", -1, UNDETERMINED),
    ],
)
def test_each_source(made: object, style: Style, sign: int, note: str) -> None:
    xyz = made(3)  # type: ignore[operator]
    frame = normalised(readings_of(entries(xyz, style)))
    np.testing.assert_allclose(frame.xyz, sign * xyz, atol=1e-4)
    assert note in frame.note


def test_the_raw_sensor_beside_tells_the_sign_of_the_calibrated_ones() -> None:
    xyz = walk(3)
    both = [*entries(xyz, "ios"), *entries(xyz, "ios-raw")]
    both.sort(key=lambda e: e["time"])
    frame = normalised(readings_of(both))
    np.testing.assert_allclose(frame.xyz, xyz, atol=1e-4)
    assert frame.note.startswith("Readings are taken as m/s² with iOS's signs: only iOS")
    assert len(frame.xyz) == len(xyz)


@pytest.mark.parametrize("axes", ["android", "ios"])
def test_what_is_told_overrides(axes: str) -> None:
    readings = readings_of(entries(walk(3), "android"))
    told = Told("g", axes, "config.toml says so")  # type: ignore[arg-type]
    small = [r._replace(xyz=(r.xyz[0] / 2, r.xyz[1] / 2, r.xyz[2] / 2)) for r in readings]
    frame = normalised(small, told=told)
    sign = -1 if axes == "ios" else 1
    np.testing.assert_allclose(frame.xyz, sign * walk(3) / 2 * STANDARD_GRAVITY, rtol=1e-4)
    assert frame.note.endswith("signs: config.toml says so.")


def test_gravity_in_other_moments_is_interpolated() -> None:
    t = np.arange(300) / 100
    gravity = [Reading("gravity", s * 1e9, (s, 0, 9.8)) for s in np.arange(0.005, 3, 0.05)]
    linear = [Reading("linear", s * 1e9, (0, 1, 0)) for s in t]
    both = sorted([*gravity, *linear], key=lambda r: r.time)
    frame = normalised(both)
    assert frame.t is not None
    later = frame.t > 0.005
    expected = np.column_stack([frame.t, np.full(len(frame.t), 1), np.full(len(frame.t), 9.8)])
    np.testing.assert_allclose(frame.xyz[later], expected[later], atol=1e-5)
    assert frame.t[-1] > 2.9


def test_acceleration_without_gravity_comes_out_as_it_is() -> None:
    readings = [Reading("linear", s * 1e9, (0.1, 1, 0)) for s in np.arange(0, 3, 0.01)]
    assert np.unique(normalised(readings).xyz[:, 1]) == [1]


def test_what_is_held_back_is_bounded() -> None:
    normaliser = Normaliser("b1", sensor_logger.TRAITS, 40.0)
    stuck = [Reading("total", 5.0, (0, 0, 9.8))] * MAX_HELD
    assert normaliser.feed(stuck[1:], Told()) is None
    frame = normaliser.feed(stuck[:1], Told())
    assert frame is not None
    assert len(frame.xyz) == MAX_HELD
    only_gravity = Normaliser("b1", sensor_logger.TRAITS, 40.0)
    for _ in range(3):
        assert only_gravity.feed([Reading("gravity", 5.0, (0, 0, 9.8))] * MAX_HELD, Told()) is None


def test_times_of_an_unknown_unit_that_stand_still_cost_little() -> None:
    normaliser = Normaliser("b1", Traits(), 40.0)
    assert normaliser.feed([Reading("total", 5.0, (0, 0, 9.8))] * (MAX_HELD - 1), Told()) is None
    frame = normaliser.feed([Reading("total", 5.0, (0, 0, 9.8))], Told())
    assert frame is not None


def test_readings_far_from_gravity_are_dropped_and_counted() -> None:
    gravity = [Reading("gravity", s * 1e9, (0, 0, 9.8)) for s in (0.0, 0.1, 3.0)]
    linear = [Reading("linear", s * 1e9, (0, 1, 0)) for s in np.arange(0, 3, 0.05)]
    normaliser = Normaliser("b1", sensor_logger.TRAITS, 40.0)
    frame = normaliser.feed(sorted([*gravity, *linear], key=lambda r: r.time), Told())
    assert frame is not None
    assert frame.t is not None
    assert ((frame.t <= 0.36) | (frame.t >= 2.74)).all()
    assert normaliser.lost == len(linear) - len(frame.t) > 40


def test_g_beyond_reason_is_refused() -> None:
    readings = readings_of(entries(face_up(3), "ios-raw"))
    readings[250] = readings[250]._replace(xyz=(0, 0, 300))
    with pytest.raises(DeviceError, match="±40 g"):
        normalised(readings)


STYLES: tuple[Style, ...] = ("android", "ios", "ios-raw")
TOTAL_S = 14.0
STREAMS = {style: readings_of(entries(walk(TOTAL_S, 50), style, 50)) for style in STYLES}


def pushed(pushes: Sequence[Push]) -> Outcome:
    intake = Intake("b1", SENSOR_LOGGER, 40.0)
    frames = [intake.feed(push, Told()) for push in pushes]
    return run(frame for frame in frames if frame is not None)


WHOLE = {style: pushed([Push("b1", "s", 0, readings)]) for style, readings in STREAMS.items()}


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_windows_are_the_same_however_readings_are_cut_into_messages(data: st.DataObject) -> None:
    style = data.draw(st.sampled_from(STYLES))
    readings = STREAMS[style]
    edges = sorted(data.draw(st.sets(st.integers(1, len(readings) - 1), max_size=80)))
    parts = [readings[i:j] for i, j in zip([0, *edges], [*edges, None], strict=True)]
    if data.draw(st.booleans()):  # sensor by sensor, as one app may write them
        parts = [sorted(part, key=lambda r: r.kind) for part in parts]
    pushes = [Push("b1", "s", n, part) for n, part in enumerate(parts)]
    places = st.integers(0, max(len(pushes) // 2 - 1, 0))
    for i in data.draw(st.sets(places, max_size=5)):  # messages that overtake each other
        pushes[2 * i : 2 * i + 2] = pushes[2 * i : 2 * i + 2][::-1]
    outcome = pushed(pushes)
    assert len(WHOLE[style].windows) == 2
    assert outcome == WHOLE[style]
