"""Gravity that comes beside acceleration: what of it is kept is bounded, whatever its times say."""

import numpy as np
import pytest

from stream.sensor_apps.join import MAX_GRAVITY, GravityJoin

NOTHING = (np.empty(0), np.empty((0, 3)))


def gravity(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return times, np.full((len(times), 3), 1.0)


def test_gravity_that_claims_one_time_is_bounded() -> None:
    join = GravityJoin()
    for _ in range(5):
        join.feed(*NOTHING, *gravity(np.zeros(MAX_GRAVITY)))
    assert len(join.save().gravity_t) == 8 * MAX_GRAVITY


def test_a_message_that_holds_both_sensors_for_long_loses_nothing() -> None:
    t = np.arange(3 * MAX_GRAVITY) / 100
    join = GravityJoin()
    known, total = join.feed(t, np.zeros((len(t), 3)), *gravity(t))
    assert len(known) == len(t)
    assert join.lost == 0
    assert np.all(total == 1.0)


RATE_HZ, N = 50, 1000


def joined(t: np.ndarray, gravity_t: np.ndarray, size: int) -> tuple[list[int], GravityJoin]:
    """Join messages of `size` readings of both; return which readings came out, and the join."""
    join, which = GravityJoin(), []
    for i in range(0, N, size):
        one = slice(i, i + size)
        xyz = np.column_stack([np.arange(N)[one]] * 3).astype(np.float64)
        _, total = join.feed(t[one], xyz, *gravity(gravity_t[one]))
        which += (total[:, 0] - 1).astype(int).tolist()
    return which, join


@pytest.mark.parametrize("size", [1, 10, 50])
@pytest.mark.parametrize("skew_s", [-0.0042, 0.0042])
@pytest.mark.parametrize("leap_s", [-3600, -500.0, -3, 3, 3600])
def test_a_clock_that_leaps_costs_a_second_at_most(leap_s: float, skew_s: float, size: int) -> None:
    t = 1000 + np.arange(N) / RATE_HZ
    t[N // 2 :] += leap_s
    which, join = joined(t, t + skew_s, size)
    assert which == sorted(which)
    assert len(which) >= N - RATE_HZ
    assert join.lost + len(which) + len(join._t) == N
    assert len(join._t) <= 1


@pytest.mark.parametrize("size", [1, 10, 50])
@pytest.mark.parametrize("off_s", [-3600, -3, 3, 3600])
def test_a_reading_with_a_time_far_off_costs_itself(off_s: float, size: int) -> None:
    t = 1000 + np.arange(N) / RATE_HZ
    odd = t.copy()
    odd[N // 2] += off_s
    which, join = joined(odd, t - 0.0042, size)
    assert set(range(N - 1)) - set(which) == {N // 2}
    assert join.lost == 1
    which, join = joined(t, odd - 0.0042, size)  # and where it is one of gravity
    assert len(which) >= N - RATE_HZ
