"""Tracks: cut into frames, joined, shortened, and asked for labels."""

import numpy as np
import pytest

from clients.track import Track, join


def track(n: int = 100, rate_hz: float = 20.0, start: float = 0.0, label: str = "Walking") -> Track:
    xyz = np.zeros((n, 3), np.float32)
    xyz[:, 0] = np.arange(n)
    return Track("p", rate_hz, start + np.arange(n) / rate_hz, xyz, np.full(n, label))


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("rate_hz", [9.5, 20.0, 50.0, 100.0])
@pytest.mark.parametrize("frame_s", [0.1, 1.0, 2.5])
def test_frames_put_together_are_the_track(timed: bool, rate_hz: float, frame_s: float) -> None:
    whole = track(333, rate_hz, start=1e5)
    frames = list(whole.frames(frame_s, timed=timed))
    np.testing.assert_array_equal(np.concatenate([f.xyz for f in frames]), whole.xyz)
    assert {len(f.xyz) for f in frames[:-1]} <= {
        int(rate_hz * frame_s),
        int(rate_hz * frame_s) + 1,
    }
    if timed:
        times = [f.t for f in frames if f.t is not None]
        np.testing.assert_array_equal(np.concatenate(times), whole.t)
    else:
        assert all(f.t is None for f in frames)


def test_a_gap_in_time_makes_no_empty_frames() -> None:
    late = track(20, start=100.0)
    joined = Track("p", 20.0, np.concatenate([track(20).t, late.t]), *joined_rest())
    assert [len(frame.xyz) for frame in joined.frames(1.0, timed=True)] == [20, 20]


def joined_rest() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((40, 3), np.float32), np.full(40, "Walking")


def test_tracks_that_do_not_follow_on_are_joined_with_a_pause() -> None:
    first, second = track(20, start=500.0), track(20, start=100.0, label="Sitting")
    joined = join("both", [first, second], pause_s=2.0)
    assert joined.t[0] == 0
    assert joined.t[20] - joined.t[19] == pytest.approx(2.0)
    assert joined.labels[19] == "Walking"
    assert joined.labels[20] == "Sitting"


def test_tracks_that_follow_on_keep_their_distance() -> None:
    first = track(20, start=500.0)
    second = track(20, start=float(first.t[-1]) + 0.05)
    third = track(20, start=float(second.t[-1]) + 1.5)
    steps = np.diff(join("p", [first, second, third], pause_s=2.0).t)
    assert steps[19] == pytest.approx(0.05)
    assert steps[39] == pytest.approx(1.5)


def test_the_label_of_a_window_is_that_of_most_of_its_samples() -> None:
    joined = join("p", [track(100), track(100, start=5.0, label="Sitting")], 0.05)
    assert joined.label_between(0.0, 9.0) == "Walking"
    assert joined.label_between(2.0, 10.0) == "Sitting"
    assert joined.label_between(50.0, 60.0) == ""


def test_the_first_seconds_end_before_the_next_one() -> None:
    assert len(track(100).first(2.0).t) == 40
    assert len(track(100).first(0.001).t) == 1
    assert track(100).first(2.0).duration_s == pytest.approx(2.0)


def test_evenly_is_how_an_untimed_server_counts() -> None:
    uneven = track(50)._replace(t=np.cumsum(np.random.default_rng(0).uniform(0.01, 0.2, 50)))
    np.testing.assert_allclose(uneven.evenly().t, np.arange(50) / 20)
