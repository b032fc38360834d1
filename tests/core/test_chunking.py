"""How a stream is cut into frames changes nothing that comes out, through to the events."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.wire import Frame
from tests.core.streams import Outcome, cut, random_edges, readings, rough_times, run

CUTS = 200
ROUGH = [
    ("late", 0.05, 0.2),
    ("again", 0.1, 0.1),
    ("gap", 0.3, 1.7),
    ("late", 0.4, 0.45),  # some arrive after the grid has passed them
    ("gap", 0.5, 0.9),  # not quite a gap
    ("step", 0.6, -30.0),
    ("again", 0.65, 0.7),
    ("gap", 0.8, 700.0),  # longer than expires_s
]


def same_however_cut(xyz: Any, t: Any, cuts: int, seed: int, rate_hz: float = 20.0) -> Outcome:
    whole = run(cut(xyz, t, []), rate_hz)
    rng = np.random.default_rng(seed)
    for _ in range(cuts):
        assert run(cut(xyz, t, random_edges(len(xyz), rng)), rate_hz) == whole
    assert run(cut(xyz, t, range(len(xyz))), rate_hz) == whole  # a frame for each sample
    return whole


def test_untimed_at_20_hz() -> None:
    xyz = readings(1500)
    whole = same_however_cut(xyz, None, CUTS, seed=1)
    assert [window[0] for window in whole.windows] == list(range((1500 - 200) // 40 + 1))
    assert len(whole.events) > 5


def test_untimed_at_another_rate() -> None:
    whole = same_however_cut(readings(1500), None, CUTS, seed=2, rate_hz=31.7)
    assert len(whole.windows) == (int((1499 / 31.7 - 0.25) * 20) + 1 - 200) // 40 + 1


def test_timed_with_everything_that_can_go_wrong() -> None:
    xyz, t = readings(3500, 5), rough_times(3500, 50, 5, ROUGH)
    whole = same_however_cut(xyz, t, CUTS, seed=3)
    assert whole.counters["gaps"] == 3
    assert whole.counters["late"] > 0
    assert whole.counters["duplicates"] > 0
    assert len(whole.windows) == 17
    assert len(whole.events) > 5


@pytest.mark.parametrize("rate_hz", [40, 100, 200])
@pytest.mark.parametrize("begin", [0.0, 1.79e9 + 0.1])
def test_a_clock_that_ticks_with_the_grid(rate_hz: int, begin: float) -> None:
    """Samples lie exactly where a grid sample's reach ends, but for the last bits of their time."""
    n = rate_hz * 12
    same_however_cut(readings(n), begin + np.arange(n) / rate_hz, 5, seed=rate_hz)


def test_a_clock_that_hardly_moves() -> None:
    t = rough_times(1500, 50, 4)
    t[500:1000] = t[500] + np.arange(500) * 1e-5  # a hundred times too close
    t[1000:] -= t[1000] - t[999] - 0.02
    whole = same_however_cut(readings(1500), t, CUTS // 2, seed=4)
    assert 450 <= whole.counters["crowded"] < 500
    assert len(whole.windows) >= 5


def test_samples_without_time_after_a_timed_frame() -> None:
    xyz, t = readings(1300), rough_times(100, 33, 5)

    def frames(edges: Any) -> list[Frame]:
        rest = [Frame(f.seq, None, None, f.xyz) for f in cut(xyz[100:], None, edges)]
        return [Frame(None, t, None, xyz[:100]), *rest]

    whole = run(frames([]))
    rng = np.random.default_rng(6)
    for _ in range(CUTS):
        assert run(frames(random_edges(1200, rng))) == whole
    assert len(whole.windows) > 10


incidents = st.one_of(
    st.tuples(st.just("gap"), st.floats(0, 1), st.floats(0, 5)),
    st.tuples(st.just("gap"), st.floats(0, 1), st.sampled_from([0.95, 1.0, 1.05, 2.0, 650.0])),
    st.tuples(st.just("step"), st.floats(0, 1), st.floats(-100, 100)),
    st.tuples(st.just("late"), st.floats(0, 1), st.floats(0, 1.5)),
    st.tuples(st.just("again"), st.floats(0, 1), st.floats(0, 1.5)),
)


@settings(max_examples=60, deadline=None)
@given(
    rate_hz=st.sampled_from([5.0, 9.5, 20.0, 25.0, 50.0, 100.0, 400.0]),
    trouble=st.lists(incidents, max_size=6),
    seed=st.integers(0, 2**32),
    since_1970=st.booleans(),
)
def test_timed_streams_drawn_by_chance(
    rate_hz: float, trouble: list[tuple[str, float, float]], seed: int, since_1970: bool
) -> None:
    n = min(int(rate_hz * 25), 2500)
    t = rough_times(n, rate_hz, seed, trouble) + since_1970 * 1.79e9
    xyz = readings(n, seed)
    whole = run(cut(xyz, t, []))
    rng = np.random.default_rng(seed)
    for _ in range(4):
        assert run(cut(xyz, t, random_edges(n, rng))) == whole


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 900), rate_hz=st.floats(5, 400), seed=st.integers(0, 2**32))
def test_untimed_streams_drawn_by_chance(n: int, rate_hz: float, seed: int) -> None:
    same = run(cut(readings(n, seed), None, []), rate_hz)
    edges = random_edges(n, np.random.default_rng(seed))
    assert run(cut(readings(n, seed), None, edges), rate_hz) == same


@pytest.mark.parametrize("rate_hz", [20.0, 50.0])
def test_the_comparison_sees_one_bit(rate_hz: float) -> None:
    xyz = readings(1500)
    other = xyz.copy()
    other[700] = np.nextafter(other[700], 100)
    t = rough_times(1500, rate_hz, 7)
    assert run(cut(xyz, t, [])) != run(cut(other, t, []))
