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
        ([5, 4, 7, 7, 6, 8], [4, 5, 6, 7, 8]),  # 7 is sent twice while it waits for 6
        ([47, 46, 48], [46, 47, 48]),  # the first that is heard overtook another
        ([47, 2, 3], [47, 2, 3]),  # numbered anew
        ([46, 46, 46], [46, 46]),
        ([-5, 2**60, 2**60], [-5]),
    ],
)
def test_order(arriving: list[int], expected: list[int]) -> None:
    ordering: Ordering[int] = Ordering()
    assert [out for n in arriving for out in ordering.feed(n, n)] == expected


def test_what_has_a_number_that_waits_but_is_no_repeat_is_let_through() -> None:
    ordering: Ordering[str] = Ordering()
    arriving = [(0, "a"), (2, "b"), (2, "c"), (2, "b"), (1, "d")]
    out = [message for n, text in arriving for message in ordering.feed(n, text)]
    assert out == ["a", "c", "d", "b"]


def test_the_first_that_is_heard_waits_for_one_more_only() -> None:
    ordering: Ordering[int] = Ordering()
    assert [ordering.feed(n, n) for n in (46, 47, 48)] == [[], [46, 47], [48]]
