"""A session's first frame decides whether it goes by its own times or counts."""

import numpy as np
import pytest

from stream.errors import MixedTimeError
from stream.signal.timeline import Timeline
from tests.core.streams import frame, readings


def place(timeline: Timeline, n: int, *t: float, rate_hz: float | None = None) -> list[float]:
    """Place a frame of `n` samples, timed if `t` are given; 20 Hz is the connection's rate."""
    sent = frame(readings(n), np.array(t) if t else None, 3, rate_hz)
    return [round(seconds, 9) for seconds in timeline.place(sent, 20.0).tolist()]


def test_an_untimed_session_counts_at_the_rate_of_the_connection() -> None:
    timeline = Timeline()
    assert place(timeline, 3) == [0.0, 0.05, 0.1]
    assert place(timeline, 2) == [0.15, 0.2]
    assert timeline.timed is False


def test_an_untimed_frame_may_state_its_rate() -> None:
    timeline = Timeline()
    assert place(timeline, 3, rate_hz=10) == [0.0, 0.1, 0.2]
    assert place(timeline, 1, rate_hz=10) == [0.3]


def test_the_rate_of_an_untimed_session_is_never_changed() -> None:
    timeline = Timeline()
    place(timeline, 3)
    with pytest.raises(MixedTimeError, match="rate_hz = 50 in an untimed session of 20 Hz") as e:
        place(timeline, 3, rate_hz=50)
    assert (e.value.code, e.value.seq) == ("mixed-time", 3)
    assert place(timeline, 1) == [0.15]


def test_the_same_rate_as_float32_is_the_same_rate() -> None:
    timeline = Timeline()
    place(timeline, 1, rate_hz=33.3)
    assert place(timeline, 1, rate_hz=float(np.float32(33.3))) == [round(1 / 33.3, 9)]


def test_time_in_an_untimed_session_is_mixed_time_and_changes_nothing() -> None:
    timeline = Timeline()
    place(timeline, 3)
    with pytest.raises(MixedTimeError, match="with time in an untimed session"):
        place(timeline, 1, 0.15)
    assert place(timeline, 1) == [0.15]


def test_a_timed_session_goes_by_its_times() -> None:
    timeline = Timeline()
    assert place(timeline, 2, 12.3, 12.349) == [12.3, 12.349]
    assert place(timeline, 2, 12.2, 99.0) == [12.2, 99.0]
    assert timeline.timed is True


def test_a_frame_without_time_goes_on_at_the_last_frames_rate() -> None:
    timeline = Timeline()
    place(timeline, 3, 5.0, 5.1, 5.2)
    assert place(timeline, 2) == [5.3, 5.4]
    assert place(timeline, 1) == [5.5]
    place(timeline, 3, 6.0, 6.02, 6.04)
    assert place(timeline, 2) == [6.06, 6.08]


def test_a_frames_own_rate_counts_for_itself_and_what_follows() -> None:
    timeline = Timeline()
    place(timeline, 2, 5.0, 5.1, rate_hz=50)
    assert place(timeline, 2) == [5.12, 5.14]
    assert place(timeline, 2, rate_hz=100) == [5.15, 5.16]
    assert place(timeline, 1) == [5.17]


@pytest.mark.parametrize(
    ("n", "t"),
    [(1, [5.0]), (2, [5.0, 5.0]), (2, [5.1, 5.0]), (2, [0.0, 5.0]), (2, [4.9999, 5.0])],
)
def test_where_times_tell_no_rate_it_is_20_hz(n: int, t: list[float]) -> None:
    timeline = Timeline()
    place(timeline, n, *t)
    assert place(timeline, 1) == [5.05]


@pytest.mark.parametrize("t", [0.01, 0.5, 5.0])
def test_one_sample_tells_no_rate_and_then_the_connections_counts(t: float) -> None:
    timeline = Timeline()
    timeline.place(frame(readings(1), np.array([t])), 50.0)
    assert place(timeline, 1) == [round(t + 0.02, 9)]


def test_frames_of_one_timed_sample_have_the_rate_between_them() -> None:
    timeline = Timeline()
    place(timeline, 1, 5.0)
    place(timeline, 1, 5.01)
    assert place(timeline, 1) == [5.02]
    place(timeline, 1, 5.03)  # after one that was counted
    assert place(timeline, 1) == [5.04]
    place(timeline, 1, 9.0)  # a gap tells nothing
    assert place(timeline, 1) == [9.01]


def test_counting_on_doesnt_depend_on_the_frames() -> None:
    whole, pieces = Timeline(), Timeline()
    for timeline in (whole, pieces):
        place(timeline, 2, 7.1, 7.1 + 1 / 33)
    one = whole.place(frame(readings(300)), 20.0)
    many = [pieces.place(frame(readings(3)), 20.0) for _ in range(100)]
    assert one.tobytes() == np.concatenate(many).tobytes()
