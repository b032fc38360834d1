"""Numbered messages come out in order, and one that is missing holds up only a few."""

import pytest

from stream.sensor_apps.ordering import Ordering


@pytest.mark.parametrize(
    ("arriving", "expected"),
    [
        ([0, 1, 2], [0, 1, 2]),
        ([1, 0, 2], [0, 1, 2]),
        ([46, 47, 49, 48], [46, 47, 48, 49]),
        ([0, 2, 3, 4, 5, 6], [0, 2, 3, 4, 5, 6]),  # 1 is lost
        ([0, 2, 3, 4, 5, 1], [0, 2, 3, 4, 5, 1]),  # 1 is too late to wait for
        ([0, 1, 1, 0, 2], [0, 1, 1, 0, 2]),
        ([0, 0, 0], [0, 0, 0]),  # not numbered at all
        ([3, 2, 1, 0], [0, 1, 2, 3]),
        ([-5, 2**60, 2**60], [-5, 2**60]),
    ],
)
def test_order(arriving: list[int], expected: list[int]) -> None:
    ordering: Ordering[int] = Ordering()
    assert [out for n in arriving for out in ordering.feed(n, n)] == expected
