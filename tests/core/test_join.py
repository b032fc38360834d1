"""Gravity that comes beside acceleration: what of it is kept is bounded, whatever its times say."""

import numpy as np

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
