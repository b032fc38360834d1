"""What is wrong with a signal is named, in one plain sentence, within 5 s of device time."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from stream.signal.quality import SLOW_HZ, Monitor, Verdict
from tests.core.streams import Readings, Times, frame, session

WITHIN_S = 5.0
GRAVITY = np.array([0, 0, 9.8])


def phone(n: int, seed: int = 0) -> Readings:
    """Return readings (n, 3) of a phone in a pocket, in m/s² with gravity."""
    rng = np.random.default_rng(seed)
    xyz: Readings = (rng.normal(0, 2, (n, 3)) + GRAVITY).astype(np.float32)
    return xyz


def times(seconds: float, rate_hz: float, begin: float = 100.0) -> Times:
    return begin + np.arange(round(seconds * rate_hz)) / rate_hz


def said(
    t: Times, xyz: Readings, frame_size: int = 20, monitor: Monitor | None = None
) -> list[tuple[float, Verdict]]:
    """Feed frames, and return (device time since the beginning, verdict) of all that was said."""
    monitor = monitor or Monitor()
    found = []
    for i in range(0, len(t), frame_size):
        monitor.feed(t[i : i + frame_size], xyz[i : i + frame_size])
        verdict = monitor.verdict(gaps=0, late=0)
        if verdict is not None:
            found.append((float(t[min(i + frame_size, len(t)) - 1] - t[0]), verdict))
    return found


def said_by(
    t: Times, xyz: Readings, batch_s: float, monitor: Monitor | None = None
) -> list[tuple[float, Verdict]]:
    """Feed frames of `batch_s` each, as apps send them; return the same as `said`."""
    monitor = monitor or Monitor()
    found = []
    edges = np.searchsorted(t, np.arange(t[0], t[-1], batch_s) - 1e-9).tolist()
    for i, j in pairwise(dict.fromkeys([*edges, len(t)])):
        monitor.feed(t[i:j], xyz[i:j])
        verdict = monitor.verdict(gaps=0, late=0)
        if verdict is not None:
            found.append((float(t[j - 1] - t[0]), verdict))
    return found


def jittered(t: Times, rate_hz: float, seed: int) -> Times:
    return t + np.random.default_rng(seed).uniform(-0.2, 0.2, len(t)) / rate_hz


def still(xyz: Readings) -> Readings:
    return np.broadcast_to(xyz[:1], xyz.shape).copy()


@pytest.mark.parametrize("frame_size", [1, 7, 20, 50])
@pytest.mark.parametrize("rate_hz", [20.0, 50.0, 100.0])
def test_a_good_signal_is_called_good_once(rate_hz: float, frame_size: int) -> None:
    t = times(60, rate_hz)
    ((when, verdict),) = said(t, phone(len(t)), frame_size)
    assert when <= WITHIN_S
    assert verdict.rate_hz == pytest.approx(rate_hz, rel=0.01)
    assert verdict == Verdict(True, verdict.rate_hz, gaps=0, late=0, skipped=0, advice="")


@pytest.mark.parametrize("frame_size", [1, 7, 20, 40])
@pytest.mark.parametrize(
    ("rate_hz", "spoil", "advice"),
    [
        (20.0, still, "The sensor repeats the same reading"),
        (20.0, lambda xyz: xyz / 9.80665, "The readings look like g: connect with units=g"),
        (20.0, lambda xyz: xyz * 9.80665, "The readings look like m/s² that were taken for g"),
        (20.0, lambda xyz: xyz - GRAVITY, "Gravity is missing"),
        (20.0, lambda xyz: (xyz - GRAVITY) / 100, "Gravity is missing"),
        (9.5, lambda xyz: xyz, "Your rate is 9.5 Hz, at least 20 Hz is needed"),
        (17.0, lambda xyz: xyz, "Your rate is 17 Hz, at least 20 Hz is needed"),
    ],
)
def test_what_is_wrong_from_the_start_is_named_within_5_s(
    rate_hz: float, spoil: Callable[[Readings], Readings], advice: str, frame_size: int
) -> None:
    t = times(30, rate_hz)
    heard = said(t, np.asarray(spoil(phone(len(t))), np.float32), frame_size)
    warnings = [(when, verdict) for when, verdict in heard if not verdict.good]
    assert warnings[0][0] <= WITHIN_S
    assert warnings[0][1].advice.startswith(advice)
    assert len(warnings) == 1


BATCHES_S = [0.1, 0.25, 0.5, 0.7, 0.99, 1.0, 1.3, 1.9, 2.0]


@pytest.mark.parametrize("batch_s", BATCHES_S)
@pytest.mark.parametrize(
    ("rates_hz", "spoil", "advice"),
    [
        ([20.0, 30.0, 60.0, 100.0, 200.0], still, "The sensor repeats the same reading"),
        ([5.0, 20.0, 60.0, 200.0], lambda xyz: xyz / 9.80665, "The readings look like g"),
        ([5.0], lambda xyz: xyz, "Your rate is 5 Hz, at least 20 Hz is needed"),
    ],
)
def test_it_is_named_within_5_s_at_every_rate_and_however_samples_are_batched(
    rates_hz: list[float], spoil: Callable[[Readings], Readings], advice: str, batch_s: float
) -> None:
    for rate_hz in rates_hz:
        xyz = np.asarray(spoil(phone(round(12 * rate_hz))), np.float32)
        for t in (times(12, rate_hz), jittered(times(12, rate_hz), rate_hz, 1)):
            when, verdict = next(item for item in said_by(t, xyz, batch_s) if not item[1].good)
            assert when <= WITHIN_S
            assert verdict.advice.startswith(advice)


# A frame of two seconds is a little longer where a timer is late.
@pytest.mark.parametrize("batch_s", [*BATCHES_S, 2.1])
@pytest.mark.parametrize("rate_hz", [20.0, 30.0, 60.0, 100.0, 200.0])
def test_a_sensor_that_freezes_midway_is_named_within_5_s_of_its_last_change(
    rate_hz: float, batch_s: float
) -> None:
    for seed in range(40):  # over two seconds, so that looks fall just before it is known
        t = jittered(times(16, rate_hz), rate_hz, seed)
        xyz = phone(len(t), seed)
        last = round((6 + seed / 19) * rate_hz)
        xyz[last:] = xyz[last]
        poor = [(when, v.advice) for when, v in said_by(t, xyz, batch_s) if not v.good]
        frozen_t = t[last] - t[0]
        assert frozen_t < poor[0][0] <= frozen_t + WITHIN_S
        assert poor[0][1].startswith("The sensor repeats the same reading")


@pytest.mark.parametrize("frame_size", [1, 7, 20])
@pytest.mark.parametrize(
    ("rate_hz", "spoil", "advice"),
    [(20.0, still, "The sensor repeats"), (12.0, lambda xyz: xyz, "Your rate is 1")],
)
def test_what_goes_wrong_later_is_named_within_5_s_and_taken_back(
    rate_hz: float, spoil: Callable[[Readings], Readings], advice: str, frame_size: int
) -> None:
    #    0 s    good     20 s    spoilt     40 s    good     60 s
    parts = [times(20, 20), times(20, rate_hz, 120), times(20, 20, 140)]
    good, bad = phone(400), spoil(phone(len(parts[1]), 1))
    heard = said(np.concatenate(parts), np.concatenate([good, bad, phone(400, 2)]), frame_size)
    poor = [when for when, verdict in heard if not verdict.good]
    assert 20 < poor[0] <= 20 + WITHIN_S + frame_size / rate_hz
    assert next(v for _, v in heard if not v.good).advice.startswith(advice)
    assert heard[0][1].good
    assert heard[-1][1].good
    assert 40 <= heard[-1][0] <= 40 + WITHIN_S + frame_size / 20


def test_a_phone_at_rest_is_not_frozen() -> None:
    t = times(30, 20)
    noise = np.random.default_rng(0).normal(0, 1e-3, (len(t), 3))
    assert all(v.good for _, v in said(t, (noise + GRAVITY).astype(np.float32)))


ROUNDED = np.array([0.3, -0.1, 9.8], np.float32)


@pytest.mark.parametrize("batch_s", [0.1, 1.0, 2.0])
def test_a_rounded_reading_that_repeats_may_be_of_a_phone_that_lies_still(batch_s: float) -> None:
    #    0 s    it moves     10 s    it lies     34 s    it moves     44 s
    t = times(44, 20)
    xyz = phone(len(t)).round(1)
    xyz[200:680] = ROUNDED
    heard = said_by(t, xyz, batch_s)
    assert all(verdict.good for _, verdict in heard)
    lies = [when for when, verdict in heard if "lies quite still, or" in verdict.advice]
    assert 10 < lies[0] <= 10 + WITHIN_S
    assert [verdict.advice for _, verdict in heard[-1:]] == [""]


def test_one_that_repeats_for_long_is_named() -> None:
    t = times(60, 20)
    heard = said(t, np.tile(ROUNDED, (len(t), 1)))
    poor = [(when, verdict.advice) for when, verdict in heard if not verdict.good]
    assert 30 <= poor[0][0] <= 30 + WITHIN_S
    assert "lies quite still, or its sensor is frozen. Move it" in poor[0][1]


@pytest.mark.parametrize(
    "reading",
    [
        (0.3, -0.1, 9.85),  # not rounded by a browser
        (0.0, 0.0, 0.0),  # what browsers give that keep it to themselves
        (0.0, 0.0, 8.0),  # nothing at rest is so light
    ],
)
def test_any_other_reading_that_repeats_is_frozen(reading: tuple[float, float, float]) -> None:
    t = times(20, 20)
    heard = said(t, np.tile(np.array(reading, np.float32), (len(t), 1)))
    when, verdict = next(item for item in heard if not item[1].good)
    assert when <= WITHIN_S
    assert verdict.advice.startswith("The sensor repeats the same reading: check that")


def test_every_other_reading_repeated_is_not_frozen() -> None:
    t = times(30, 50)
    assert all(v.good for _, v in said(t, phone(len(t) // 2).repeat(2, axis=0), 1))


def test_jumps_and_falls_are_not_taken_for_g() -> None:
    """A jogger is weightless for a tenth of a second at every step."""
    t = times(30, 100)
    xyz = phone(len(t))
    xyz[(t * 10).astype(int) % 4 == 0] *= 0.02
    for frame_size in (1, 3, 100):
        assert all(v.good for _, v in said(t, xyz, frame_size))


@pytest.mark.parametrize("frame_s", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("turned_s", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("unit", [1.0, 1 / 9.81])
def test_a_phone_that_is_turned_over_has_its_gravity(
    frame_s: float, turned_s: float, unit: float
) -> None:
    t = times(20, 50)
    angle = np.clip((t - t[0] - 8) / turned_s, 0, 1) * np.pi
    noise = np.random.default_rng(3).normal(0, 0.05, (len(t), 3))
    gravity = 9.81 * np.stack([np.sin(angle), 0 * t, np.cos(angle)], axis=1)
    xyz = (unit * (gravity + noise)).astype(np.float32)
    words = {verdict.advice for _, verdict in said(t, xyz, int(frame_s * 50))}
    assert [word[:24] for word in words] == ["" if unit == 1 else "The readings look like g"]


@pytest.mark.parametrize("late_s", [1.0, 3.0])
def test_what_comes_again_makes_no_rate(late_s: float) -> None:
    """A message sent once more, because its answer was late."""
    monitor, t = Monitor(), times(20, 12)
    xyz, verdicts = phone(len(t)), []
    for begin in range(0, len(t), 12):
        monitor.feed(t[begin : begin + 12], xyz[begin : begin + 12])
        again = max(begin - 12 * int(late_s - 1), 0)
        monitor.feed(t[again : again + 12], xyz[again : again + 12])
        verdicts.append(monitor.verdict(0, 0))
    assert verdicts[-1] is None
    assert all(12 <= v.rate_hz < SLOW_HZ for v in verdicts if v)


@pytest.mark.parametrize("rate_hz", [20.0, 50.0])
@pytest.mark.parametrize("frame_size", [1, 20, 50])
@pytest.mark.parametrize("back_s", [0.2, 0.8, 3.0])
def test_a_late_sample_anywhere_in_a_frame_changes_no_rate(
    rate_hz: float, frame_size: int, back_s: float
) -> None:
    for at in range(160, 160 + frame_size):
        t = times(20, rate_hz)
        t = np.insert(t, at, t[at] - back_s)
        verdicts = [verdict for _, verdict in said(t, phone(len(t)), frame_size)]
        assert all(0.95 < v.rate_hz / rate_hz < 1.08 for v in verdicts)
        assert all(v.good for v in verdicts)


@pytest.mark.parametrize("frame_size", [1, 20, 50])
@pytest.mark.parametrize("jump_s", [-30.0, -1.5, 700.0])
def test_a_clock_that_jumps_within_a_frame_changes_no_rate(frame_size: int, jump_s: float) -> None:
    for at in range(400, 400 + frame_size, 7):
        t = times(20, 50.0)
        t[at:] += jump_s
        verdicts = [verdict for _, verdict in said(t, phone(len(t)), frame_size)]
        assert all(0.95 < v.rate_hz / 50 < 1.08 for v in verdicts)


def test_a_gap_is_not_held_against_the_rate() -> None:
    t = np.concatenate([times(5.5, 20), times(5.5, 20, 108), times(20, 20, 200)])
    assert [v.good for _, v in said(t, phone(len(t)))] == [True]


def test_a_clock_set_back_and_samples_out_of_order_are_not_either() -> None:
    t = np.concatenate([times(10, 20), times(10, 20, 50)])
    t[::7] -= 0.12
    for frame_size in (1, 5, 20):
        assert [v.good for _, v in said(t, phone(len(t)), frame_size)] == [True]


def test_nothing_is_said_before_two_seconds() -> None:
    t = times(1.9, 20)
    assert said(t, phone(len(t)), 1) == []
    assert Monitor().verdict(0, 0) is None


def test_it_says_again_what_changed_and_nothing_else() -> None:
    monitor, t = Monitor(), times(100, 20)
    counts = {40: (1, 0), 50: (1, 1), 60: (1, 2), 70: (1, 3), 80: (2, 3)}
    gaps, late, heard = 0, 0, []
    for second in range(100):
        gaps, late = counts.get(second, (gaps, late))
        part = slice(second * 20, second * 20 + 20)
        monitor.feed(t[part], phone(20, second))
        verdict = monitor.verdict(gaps, late)
        if verdict is not None:
            heard.append((verdict.gaps, verdict.late))
    assert heard == [(0, 0), (1, 0), (1, 1), (1, 3), (2, 3)]  # late: whenever it has doubled


def test_a_changed_rate_is_said_though_it_is_good() -> None:
    t = np.concatenate([times(20, 50), times(20, 100, 120)])
    rates = [verdict.rate_hz for _, verdict in said(t, phone(len(t)), 50)]
    assert rates[0] == pytest.approx(50, rel=0.02)
    assert rates[-1] == pytest.approx(100, rel=0.1)
    assert all(verdict.good for _, verdict in said(t, phone(len(t)), 50))


def test_memory_is_bounded_though_time_stands_still() -> None:
    monitor = Monitor()
    for k in range(2000):
        monitor.feed(np.array([5.0 + k * 1e-6]), phone(1, k))
    assert len(monitor._marks) <= 3
    for k in range(2000):
        monitor.feed(np.array([5.0 + k * 0.01]), phone(1, k))
    assert len(monitor._marks) <= 50


def test_a_session_words_it_as_a_message() -> None:
    live = session()
    assert live.quality() is None
    t = times(6, 10)
    heard = []
    for seq, i in enumerate(range(0, 60, 10)):
        live.feed(frame(phone(10), t[i : i + 10], seq=seq + 3 * (seq > 1)))
        heard += [message for message in [live.quality()] if message]
    slow = heard[0]
    assert (slow.device, slow.session, slow.state) == ("pixel-7", "s1", "poor")
    assert slow.rate_hz == pytest.approx(10, rel=0.05)
    assert slow.advice == "Your rate is 10 Hz, at least 20 Hz is needed."


@pytest.mark.parametrize("batch_s", [0.1, 0.5, 1.0, 1.9, 2.0])
def test_signs_that_a_face_up_check_turned_are_named_within_5_s(batch_s: float) -> None:
    note = "Readings are taken as m/s² with iOS's signs: the face-up check found it."
    live, n = session(), round(20 * batch_s)
    heard: list[tuple[float, str]] = []
    for number, end in enumerate(range(n, 400, n)):
        turned = end > 200
        if turned and end - n <= 200:  # as `face_up.check` does
            live.break_off()
        xyz = phone(n, number)
        one = frame(-xyz if turned else xyz, times(20, 20)[end - n : end])
        live.feed(one._replace(axes="ios", note=note) if turned else one)
        heard += [(end / 20, message.advice) for message in [live.quality()] if message]
    assert heard[0][1] == ""
    assert heard[-1][1] == note
    assert heard[-1][0] <= 10 + WITHIN_S


def test_skipped_frames_are_named_within_5_s() -> None:
    live = session()
    heard = []
    for seq in [0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13]:
        live.feed(frame(phone(20), seq=seq))
        heard += [(seq, m) for m in [live.quality()] if m]
    assert heard[0][1].advice == ""
    seq, told = heard[-1]
    assert seq <= 9 + 4
    assert told.advice == "3 frames were skipped and are lost."
    assert told.state == "good"
