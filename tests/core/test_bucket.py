"""Allowances: a burst, then a rate; time moves by hand, and memory is bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.access.bucket import Bucket, Buckets


def passing(bucket: Bucket, now: float, *costs: float) -> bool:
    if bucket.wait(now)[0] > 0:
        return False
    bucket.charge(*costs)
    return True


def test_a_burst_passes_and_then_the_rate() -> None:
    bucket = Bucket((2.0,), 5.0, now=100.0)
    assert sum(passing(bucket, 100.0, 1) for _ in range(100)) == 10
    assert sum(passing(bucket, 100.0 + 0.1 * k, 1) for k in range(1, 101)) == 20


def test_it_says_how_long_to_wait_and_for_what() -> None:
    bucket = Bucket((1.0, 100.0), 10.0, now=0.0)
    bucket.charge(1, 3000)
    wait, index = bucket.wait(0.0)
    assert wait == pytest.approx(20.01)
    assert index == 1
    assert bucket.wait(wait)[0] == 0.0


def test_a_message_larger_than_the_burst_passes_once() -> None:
    bucket = Bucket((10.0,), 1.0, now=0.0)
    assert passing(bucket, 0.0, 1000)
    assert not passing(bucket, 98.0, 1)
    assert passing(bucket, 99.2, 1)


def test_a_clock_that_steps_back_gives_nothing() -> None:
    bucket = Bucket((1.0,), 1.0, now=100.0)
    assert passing(bucket, 100.0, 1)
    assert not passing(bucket, 50.0, 1)
    assert not passing(bucket, 100.0, 1)
    assert passing(bucket, 101.0, 1)


@given(
    rate=st.floats(0.1, 1000),
    burst=st.floats(1, 100),
    steps=st.lists(st.tuples(st.floats(0, 10), st.floats(0, 100)), max_size=50),
)
def test_never_more_than_burst_and_rate_and_one_message(
    rate: float, burst: float, steps: list[tuple[float, float]]
) -> None:
    bucket, now, passed, last = Bucket((rate,), burst, 0.0), 0.0, 0.0, 0.0
    for pause, cost in steps:
        now += pause
        if passing(bucket, now, cost):
            passed, last = passed + cost, cost
    assert passed - last <= rate * (burst + now) * (1 + 1e-9) + 1e-6


def test_keys_are_apart_and_the_longest_unused_goes() -> None:
    buckets = Buckets((1.0,), 1.0, limit=2)
    for key in ("a", "b"):
        assert passing(buckets.of(key, 0.0), 0.0, 1)
        assert not passing(buckets.of(key, 0.0), 0.0, 1)
    assert not passing(buckets.of("a", 0.0), 0.0, 1)
    buckets.of("c", 0.0)  # b goes
    assert not passing(buckets.of("a", 0.0), 0.0, 1)
    assert passing(buckets.of("b", 0.0), 0.0, 1)
    for number in range(1000):
        buckets.of(str(number), 0.0)
    assert len(buckets) == 2
