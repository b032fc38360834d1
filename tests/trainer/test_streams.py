"""Streams are one person's, continuous, the same every time; what is heard of them is timed."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trainer import made
from trainer.evaluation.delays import Delays, Heard, delays, heard, together
from trainer.evaluation.streams import Segment, Stream, joined, pieces, streams, windows_of
from trainer.recordings import ACTIVITIES, Recording


def recording(word: str, seconds: float, rate_hz: float = 20.0, subject: str = "1") -> Recording:
    t = 1000.0 + np.arange(round(seconds * rate_hz)) / rate_hz
    xyz = made.moving(word if word in made.GAITS else "Walking", t)
    return Recording("x", subject, "phone", rate_hz, t, xyz, np.full(len(t), word))


def stream(*words: str, seconds: float = 60.0) -> Stream:
    return joined("x", "1", [recording(word, seconds) for word in words])


def saying(one: Stream, late: int = 0) -> NDArray[np.float32]:
    """Answer each window with the word of its middle, `late` windows later."""
    names = windows_of([one]).names
    names = np.concatenate([np.full(late, names[0]), names])[: len(names)]
    up = np.where(names == "Stairs", "Upstairs", names)
    return np.eye(6, dtype=np.float32)[[ACTIVITIES.index(name) for name in up]]


def test_pieces_have_their_length_and_one_word() -> None:
    rng = np.random.default_rng(0)
    found = list(pieces(recording("Walking", 600), rng))
    assert all(20 <= len(piece) / 20 <= 120.1 for piece in found)
    assert sum(map(len, found)) > 600 * 20 - 20 * 20
    assert list(pieces(recording("Walking", 19), rng)) == []
    assert list(pieces(recording("Kicking", 60), rng)) == []
    two = recording("Walking", 60)
    two.labels[600:] = "Jogging"
    assert [set(piece.labels) for piece in pieces(two, rng)] == [{"Walking"}, {"Jogging"}]


def test_a_stream_is_one_persons_and_goes_on_without_a_gap() -> None:
    words = ("Walking", "Sitting", "Stairs", "Standing", "Jogging", "Kicking")
    all_of = [recording(word, 150, 50.0, subject) for subject in "12" for word in words]
    one, two = streams([*all_of, recording("Sitting", 300, subject="3")])
    assert (one.subject, two.subject) == ("1", "2")
    for each in (one, two):
        assert len(each.segments) >= 5
        assert "Kicking" not in {segment.name for segment in each.segments}
        np.testing.assert_allclose(np.diff(each.t), 0.02, atol=1e-9)
        for before, after in zip(each.segments, each.segments[1:], strict=False):
            assert before.name != after.name
            assert before.end == after.start
        assert each.segments[-1].end == pytest.approx(each.t[-1] + 0.02)
    assert {segment.name for segment in one.segments} == set(words) - {"Kicking"}
    again = next(streams(all_of))
    np.testing.assert_array_equal(one.xyz, again.xyz)
    assert one.segments == again.segments
    assert one.segments != two.segments


def test_windows_come_from_the_session_in_order() -> None:
    one = stream("Walking", "Sitting")
    found = windows_of([one])
    assert len(found) == (120 * 20 - 200) // 40 + 1 - 1  # the filter looks 0.25 s ahead
    assert found.names.tolist() == sorted(found.names, reverse=True)
    assert set(found.persons) == {"x/1"}
    assert len(windows_of([])) == 0


def test_a_perfect_model_is_as_fast_as_windows_allow() -> None:
    # Changes at 60 and 120 s. The first window with its middle behind 60 s is [56, 66); the next
    # but one confirms: 70 s.
    one = stream("Walking", "Sitting", "Stairs")
    found = delays(one.segments, heard(one, saying(one)))
    assert found.delays_s == pytest.approx((10.0, 10.0))
    assert (found.changes, found.confirmed, found.false, found.unknown) == (2, 1.0, 0, 0)
    assert found.hours == pytest.approx(180 / 3600)


def test_a_delayed_model_is_that_much_later() -> None:
    one = stream("Walking", "Sitting", "Stairs")
    found = delays(one.segments, heard(one, saying(one, late=3)))
    assert found.delays_s == pytest.approx((16.0, 16.0))
    assert (found.median_s, found.p90_s) == pytest.approx((16.0, 16.0))
    # It dates the changes 6 s too late, more than the 5 s of tolerance, but names what is true.
    assert found.false == 0


def test_a_blip_is_false_and_the_way_back_is_not() -> None:
    one = stream("Walking", "Sitting")
    answered = saying(one)
    answered[10:13] = np.eye(6, dtype=np.float32)[ACTIVITIES.index("Jogging")]
    found = delays(one.segments, heard(one, answered))
    assert (found.false, found.changes, found.confirmed) == (1, 1, 1.0)
    assert found.false_per_hour == pytest.approx(1 / (120 / 3600))


def test_a_model_that_is_unsure_confirms_nothing() -> None:
    one = stream("Walking", "Sitting")
    answered = saying(one)
    answered[28:] = 1 / 6
    found = delays(one.segments, heard(one, answered))
    assert (found.confirmed, found.false, found.unknown) == (0.0, 0, 1)
    assert found.delays_s == (math.inf,)
    assert found.median_s == math.inf


SEGMENTS = (
    Segment("Walking", 0.0, 60.0),
    Segment("Stairs", 60.0, 120.0),
    Segment("Walking", 120.0, 180.0),
)


def test_what_was_confirmed_before_the_change_has_no_delay() -> None:
    # The stairs are missed, so that back at walking there is nothing to confirm.
    found = delays(SEGMENTS, [Heard("Walking", 0.0, 12.0)])
    assert (found.changes, found.already, found.confirmed) == (1, 1, 0.0)


def test_stairs_are_true_up_and_down() -> None:
    events = [Heard("Upstairs", 61.0, 70.0), Heard("Downstairs", 90.0, 98.0)]
    found = delays(SEGMENTS, [Heard("Walking", 0.0, 12.0), *events])
    assert found.delays_s == (10.0, math.inf)
    assert found.false == 0


@pytest.mark.parametrize(("t", "false"), [(124.9, 0), (125.1, 1), (55.1, 0), (54.9, 1)])
def test_an_event_may_be_dated_five_seconds_beside(t: float, false: int) -> None:
    assert delays(SEGMENTS, [Heard("Upstairs", t, t + 8)]).false == false


@pytest.mark.parametrize(("t", "false"), [(64.9, 0), (65.1, 1), (115.1, 0), (90.0, 1)])
def test_unknown_is_false_where_nothing_changes(t: float, false: int) -> None:
    found = delays(SEGMENTS, [Heard("Unknown", t, t + 8)])
    assert (found.false, found.unknown) == (false, 1)


def test_a_third_activity_is_false_even_at_a_change() -> None:
    assert delays(SEGMENTS, [Heard("Sitting", 60.0, 68.0)]).false == 1


def test_what_is_heard_after_the_segment_does_not_confirm_it() -> None:
    found = delays(SEGMENTS, [Heard("Upstairs", 118.0, 121.0)])
    assert (found.confirmed, found.false) == (0.0, 0)


def test_streams_add_up() -> None:
    one = Delays((8.0, math.inf), 2, 1, 3, 0, 0.5)
    two = Delays((10.0, 30.0), 2, 0, 0, 1, 1.5)
    both = together([one, two])
    assert (both.median_s, both.p90_s, both.confirmed) == (20.0, math.inf, 0.75)
    assert (both.false_per_hour, both.unknown_per_hour) == (1.5, 0.5)
    assert Delays((), 0, 0, 0, 0, 0.0).confirmed == 1.0
