"""Any rate becomes the grid: by the device's times, without aliases, from nearby samples only.

In the drawings a digit is a second of device time, `x` a sample, `|` a sample of the grid.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.signal.lowpass import DENSE_S, REACH_S, to_grid
from stream.signal.resample import BLOCK, MIN_STEP_S, Resampler, Stretch
from tests.core.streams import SIGNAL, Readings, readings, rough_times

EPSILON_S = 2e-6


def grid_of(stretches: list[Stretch]) -> Readings:
    return np.concatenate([stretch.xyz for stretch in stretches])


def feed(resampler: Resampler, *t: float) -> list[Stretch]:
    """Feed one frame of samples at `t` whose x is their time."""
    return resampler.feed(np.array(t), np.column_stack([t, np.zeros(len(t)), np.ones(len(t))]))


def ramp(begin: float, end: float, rate_hz: float = 50.0) -> list[float]:
    return [begin + k / rate_hz for k in range(round((end - begin) * rate_hz) + 1)]


def spans(stretches: list[Stretch]) -> list[tuple[int, int]]:
    """Return the grid indices [start, end) of stretches, joined where they follow on."""
    joined: list[tuple[int, int]] = []
    for stretch in stretches:
        end = stretch.start + len(stretch.xyz)
        if joined and joined[-1][1] == stretch.start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((stretch.start, end))
    return joined


# Passing through


def test_an_untimed_stream_at_20_hz_is_the_grid_bit_for_bit() -> None:
    xyz = readings(500)
    resampler = Resampler(SIGNAL)
    parts = [s for i in range(0, 500, 7) for s in resampler.feed_on_grid(xyz[i : i + 7])]
    assert grid_of(parts).tobytes() == xyz.tobytes()
    assert [part.start for part in parts] == list(range(0, 500, 7))


def test_a_timed_stream_on_the_grid_keeps_its_values() -> None:
    xyz = readings(400)
    out = grid_of(Resampler(SIGNAL).feed(7 + np.arange(400) / 20, xyz))
    np.testing.assert_allclose(out, xyz[: len(out)], atol=1e-4)


# Frequencies


def gain_db(tone_hz: float, rate_hz: float, jitter: float = 0.0) -> float:
    """Return what is left of a tone after 30 s, whatever it was mirrored to.

    Its cosine is x and its sine is y, so that their length doesn't depend on phase.
    """
    rng = np.random.default_rng(1)
    n = round(30 * rate_hz)
    t = (np.arange(n) + jitter * rng.uniform(-0.5, 0.5, n)) / rate_hz
    angle = 2 * np.pi * tone_hz * t
    out = grid_of(Resampler(SIGNAL).feed(t, np.column_stack([np.cos(angle), np.sin(angle), t])))
    inner = out[20:-20].astype(np.float64)
    return float(10 * np.log10((inner[:, 0] ** 2 + inner[:, 1] ** 2).mean()))


@pytest.mark.parametrize("rate_hz", [30.0, 50.0, 100.0, 200.0, 400.0])
def test_tones_above_the_grids_reach_are_removed(rate_hz: float) -> None:
    tones = np.arange(13.0, min(40.0, rate_hz / 2) + 0.1, 0.5)
    assert {tone: gain for tone in tones if (gain := gain_db(tone, rate_hz)) > -30} == {}


@pytest.mark.parametrize("rate_hz", [30.0, 50.0, 100.0, 200.0, 400.0])
def test_tones_of_walking_pass(rate_hz: float) -> None:
    for tone in (0.5, 1.0, 2.0, 3.5, 5.0):
        assert abs(gain_db(tone, rate_hz)) < 0.5


def test_jitter_of_a_fifth_still_removes_and_passes() -> None:
    assert max(gain_db(tone, 100, jitter=0.4) for tone in np.arange(13, 40, 1.0)) < -20
    assert abs(gain_db(5, 100, jitter=0.4)) < 0.5


@pytest.mark.parametrize("rate_hz", [5.0, 9.5, 20.0])
def test_slow_streams_are_joined_by_straight_lines(rate_hz: float) -> None:
    t = rough_times(200, rate_hz, 2)
    xyz = readings(200)
    out = Resampler(SIGNAL).feed(t, xyz)
    grid = t[0] + np.arange(len(grid_of(out))) / 20
    for axis in range(3):
        expected = np.interp(grid, t, xyz[:, axis].astype(np.float64))
        np.testing.assert_allclose(grid_of(out)[:, axis], expected, atol=1e-4)


@pytest.mark.parametrize("rate_hz", [5.0, 9.5, 20.0, 25.0, 30.0, 50.0, 100.0, 200.0, 400.0])
def test_a_phone_at_rest_stays_at_rest(rate_hz: float) -> None:
    t = rough_times(int(rate_hz * 20), rate_hz, 3)
    out = grid_of(Resampler(SIGNAL).feed(t, np.full((len(t), 3), 9.80665, np.float32)))
    np.testing.assert_allclose(out, 9.80665, rtol=1e-6)
    assert len(out) == int((t[-1] - t[0] - REACH_S + 1e-6) * 20) + 1


def test_one_long_piece_equals_many() -> None:
    """More samples at once than the filter takes at once."""
    t, xyz = rough_times(30_000, 100, 4), readings(30_000)
    whole, pieces = Resampler(SIGNAL), Resampler(SIGNAL)
    parts = [
        s for i in range(0, 30_000, 100) for s in pieces.feed(t[i : i + 100], xyz[i : i + 100])
    ]
    out = whole.feed(t, xyz)
    assert grid_of(out).tobytes() == grid_of(parts).tobytes()
    assert max(len(part.xyz) for part in out) <= BLOCK / 100 * 20 + 1
    assert whole.counters.crowded == 0


# When a grid sample is known


@pytest.mark.parametrize("rate_hz", [5.0, 9.5, 20.0, 50.0, 100.0, 400.0])
@pytest.mark.parametrize("begin", [0.0, 12.3, 1.79e9])
def test_a_grid_sample_is_known_once_a_sample_at_least_250_ms_later_has_come(
    rate_hz: float, begin: float
) -> None:
    t = begin + rough_times(int(rate_hz * 5), rate_hz, 5)
    resampler = Resampler(SIGNAL)
    newest = -np.inf
    for now in t.tolist():
        for stretch in feed(resampler, now):
            grid = t[0] + (stretch.start + np.arange(len(stretch.xyz))) / 20
            assert grid[-1] + REACH_S <= now + EPSILON_S
            assert grid[0] + REACH_S > newest - EPSILON_S
        newest = now


def test_exactly_250_ms_later_is_enough() -> None:
    resampler = Resampler(SIGNAL)
    assert feed(resampler, 100.0, 100.1, 100.2, 100.24) == []
    assert spans(feed(resampler, 100.25)) == [(0, 1)]
    assert spans(feed(resampler, 100.3)) == [(1, 2)]
    assert spans(feed(resampler, 100.6)) == [(2, 8)]


# Nearby input only


@settings(max_examples=150, deadline=None)
@given(
    rate_hz=st.sampled_from([5.0, 9.5, 20.0, 24.0, 30.0, 50.0, 100.0]),
    seed=st.integers(0, 2**32),
    place=st.floats(0.2, 0.8),
)
def test_a_grid_sample_depends_on_nearby_samples_only(
    rate_hz: float, seed: int, place: float
) -> None:
    """Whatever lies further away may change, vanish or be computed with it: not a bit moves."""
    t = rough_times(int(rate_hz * 4), rate_hz, seed)
    xyz = readings(len(t), seed).astype(np.float64)
    point = np.array([t[0] + place * (t[-1] - t[0])])
    expected = to_grid(t, xyz, point)

    right = int(np.searchsorted(t, point[0], side="right"))
    near = np.abs(t - point) <= REACH_S
    near[right - 1 : right + 1] = True  # its two neighbours, where they are sparse
    other = np.where(near[:, None], xyz, 1e3)
    assert to_grid(t, other, point).tobytes() == expected.tobytes()

    first, last = np.flatnonzero(near)[[0, -1]]
    kept = slice(max(first - 2, 0), last + 3)
    assert to_grid(t[kept], xyz[kept], point).tobytes() == expected.tobytes()

    among = np.sort(np.append(np.linspace(t[0], t[-1], 50), point))
    index = int(np.searchsorted(among, point[0]))
    assert to_grid(t, xyz, among)[index].tobytes() == expected[0].tobytes()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(MIN_STEP_S, 1.5 * DENSE_S), min_size=1, max_size=150))
def test_no_spacing_of_samples_makes_the_filter_explode(steps: list[float]) -> None:
    t = np.cumsum(steps)
    xyz = np.where(np.arange(len(t))[:, None] % 2, 1.0, -1.0) * np.ones(3)
    out = to_grid(t, xyz, np.arange(t[0], t[-1], 0.05))
    assert np.isfinite(out).all()
    assert (np.abs(out) < 3).all()


# Gaps


def test_a_second_of_silence_is_no_gap_and_more_is() -> None:
    assert gaps_after(1.0) == 0
    assert gaps_after(1.0 + 1e-6) == 1


def gaps_after(silence_s: float) -> int:
    resampler = Resampler(SIGNAL)
    feed(resampler, 0.0, 0.5, 0.5 + silence_s)
    return resampler.counters.gaps


def test_a_clock_set_back_by_more_than_a_second_is_a_gap() -> None:
    resampler = Resampler(SIGNAL)
    feed(resampler, *ramp(5, 8))
    feed(resampler, 7.0)
    assert (resampler.counters.gaps, resampler.counters.late) == (0, 1)
    feed(resampler, 7.9, 7.0, 8.02, 8.04)
    assert (resampler.counters.gaps, resampler.counters.late) == (0, 2)
    feed(resampler, 7.039)
    assert (resampler.counters.gaps, resampler.counters.late) == (1, 2)


def test_after_a_gap_the_grid_begins_anew_at_a_multiple_of_the_hop() -> None:
    #      0    1    2    3    4    5    6
    #      xxxxxxxxxxxxxxxx         xxxxxx      at 5.013
    # grid |0           |60         |80  |
    resampler = Resampler(SIGNAL)
    out = feed(resampler, *ramp(0, 3), *ramp(5.013, 7))
    assert spans(out) == [(0, 61), (80, 80 + 35)]
    assert out[-1].anchor.start == 80
    assert out[-1].anchor.t == 5.013
    assert grid_of(out)[61, 0] == pytest.approx(5.013)
    assert resampler.counters.gaps == 1


def test_silence_makes_the_rest_known_and_a_clock_set_back_does_not() -> None:
    forward, back = Resampler(SIGNAL), Resampler(SIGNAL)
    assert spans(feed(forward, *ramp(0, 1), 9.0)) == [(0, 21)]
    assert spans(feed(back, *ramp(5, 6), 1.0)) == [(0, 16)]


@pytest.mark.parametrize("lasted_s", [0.0, 0.05, 1.9, 1.95, 2.0, 2.05, 3.95, 5.0])
@pytest.mark.parametrize("jump_s", [2.0, -30.0, 1e6])
def test_the_index_after_a_gap_is_the_next_that_the_hop_divides(
    lasted_s: float, jump_s: float
) -> None:
    resampler = Resampler(SIGNAL)
    before = feed(resampler, *ramp(100, 100 + lasted_s))
    after = feed(resampler, *ramp(100 + lasted_s + jump_s, 104 + lasted_s + jump_s))
    end = max([stop for _, stop in spans(before)] + [0])
    start = next(stretch.start for stretch in after if stretch.anchor.t != 100)
    end = max([end] + [s.start + len(s.xyz) for s in after if s.anchor.t == 100])
    assert start == -(-end // 40) * 40


def test_each_sample_alone_between_gaps_gives_its_own_grid_sample() -> None:
    resampler = Resampler(SIGNAL)
    out = feed(resampler, *range(0, 20, 2))
    assert spans(out) == [(40 * k, 40 * k + 1) for k in range(9)]
    assert resampler.counters.gaps == 9


# Late, twice, too close


def test_an_early_enough_straggler_counts_and_a_late_one_is_dropped() -> None:
    #      0.0            0.75   1.0
    # sent xxxxxxxxxxxxxxxxxxxxxx x      then 0.81 and 0.74
    # grid |  |  |  |  |  |                 known up to 0.75
    resampler = Resampler(SIGNAL)
    feed(resampler, *[t for t in ramp(0, 1) if t != 0.8])
    feed(resampler, 0.8, 0.74)
    assert resampler.counters.late == 1
    complete = Resampler(SIGNAL)
    feed(complete, *ramp(0, 1))
    assert resampler.counters.duplicates == 0
    rest = ramp(1.02, 2)
    assert grid_of(feed(resampler, *rest)).tobytes() == grid_of(feed(complete, *rest)).tobytes()


def test_what_was_sent_twice_is_dropped_and_counted() -> None:
    t, xyz = rough_times(500, 50, 6), readings(500)
    once, twice = Resampler(SIGNAL), Resampler(SIGNAL)
    parts = []
    for i in range(0, 500, 10):
        parts += twice.feed(t[i : i + 10], xyz[i : i + 10])
        parts += twice.feed(t[i : i + 10], xyz[i : i + 10] + 1)
    assert grid_of(parts).tobytes() == grid_of(once.feed(t, xyz)).tobytes()
    assert twice.counters.late + twice.counters.duplicates == 500
    assert twice.counters.duplicates > 400
    assert twice.counters.gaps == 0


def test_samples_too_close_to_another_are_dropped_and_bounded() -> None:
    resampler = Resampler(SIGNAL)
    out: list[Stretch] = []
    for i in range(50):  # 5,000 samples in 50 ms
        out += feed(resampler, *(np.arange(i * 100, (i + 1) * 100) * 1e-5).tolist())
    feed(resampler, 0.0101)  # between two that were kept
    assert 4890 < resampler.counters.crowded < 4910
    assert out == []


@pytest.mark.parametrize("back_s", [0.01, 0.05, 0.2])
def test_order_of_arrival_hardly_matters(back_s: float) -> None:
    """Stragglers that come before their grid samples are filled in; those after, a bit less."""
    t = np.arange(1000) / 100
    wave = np.sin(2 * np.pi * 2 * t)
    xyz = np.column_stack([wave, wave, wave])
    order = np.argsort(t + np.random.default_rng(8).uniform(0, back_s, 1000))
    order = np.concatenate([[0], order[order != 0]])
    mixed, ordered = Resampler(SIGNAL), Resampler(SIGNAL)
    a, b = grid_of(mixed.feed(t[order], xyz[order])), grid_of(ordered.feed(t, xyz))
    assert mixed.counters.late == 0
    np.testing.assert_allclose(a, b, atol=0.1)
    if back_s < 0.02:  # no sample comes so late that the filter's edge has passed it
        np.testing.assert_allclose(a, b, atol=2e-3)
