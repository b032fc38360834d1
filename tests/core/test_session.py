"""The whole core behind one door: numbering, refusals, predictions, the end."""

import numpy as np
import pytest
from msgspec.structs import asdict

from stream.errors import MixedTimeError
from stream.session import Session, SessionOptions
from stream.wire import Frame
from tests.core.streams import (
    ACTIVITIES,
    OPTIONS,
    SIGNAL,
    cut,
    fake_probabilities,
    feed,
    frame,
    readings,
    session,
)

T = np.arange(20) / 20


def test_frames_in_order_are_taken() -> None:
    live = session()
    for seq in range(12):
        live.feed(frame(readings(20), seq=seq))
        assert live.next_seq == seq + 1


def test_a_seq_seen_before_is_dropped() -> None:
    xyz = readings(400)
    once, twice = session(), session()
    expected = feed(once, cut(xyz, None, range(0, 400, 50)))
    got = []
    for sent in cut(xyz, None, range(0, 400, 50)):
        got += twice.feed(sent)
        assert twice.feed(sent) == []
        assert twice.feed(frame(readings(50, 9), seq=0)) == []
    assert [w.xyz.tobytes() for w in got] == [w.xyz.tobytes() for w in expected]
    assert twice.next_seq == 8


def test_a_higher_seq_is_taken_and_what_was_skipped_is_given_up() -> None:
    live = session()
    live.feed(frame(readings(20), seq=0))
    live.feed(frame(readings(20), seq=5))
    assert live.next_seq == 6
    assert live.feed(frame(readings(400), seq=3)) == []
    assert len(live.feed(frame(readings(160), seq=6))) == 1  # 200 samples with the first two


def test_the_last_seq_of_all() -> None:
    live = session()
    live.feed(frame(readings(20), seq=2**32 - 1))
    assert live.next_seq == 2**32


def test_frames_without_seq_are_all_taken() -> None:
    live = session()
    assert len([w for _ in range(5) for w in live.feed(frame(readings(80)))]) == 6
    assert live.next_seq == 0


def test_a_frame_refused_before_it_was_read_is_consumed() -> None:
    live = session()
    assert live.consume(0)
    assert not live.consume(0)
    assert live.next_seq == 1
    assert live.feed(frame(readings(400), seq=0)) == []


def test_mixed_time_is_consumed_and_changes_nothing_else() -> None:
    live, other = session(), session()
    first, rest = readings(150, 1), readings(150, 2)
    for one in (live, other):
        one.feed(frame(first, seq=0))
    with pytest.raises(MixedTimeError) as error:
        live.feed(frame(readings(20), T, seq=1))
    assert (error.value.code, error.value.seq) == ("mixed-time", 1)
    assert live.next_seq == 2
    a, b = live.feed(frame(rest, seq=2)), other.feed(frame(rest, seq=1))
    assert [w.xyz.tobytes() for w in a] == [w.xyz.tobytes() for w in b] != []
    assert live.close() == other.close()


def test_a_timed_session_takes_frames_without_time() -> None:
    live = session()
    live.feed(frame(readings(20), T))
    windows = live.feed(frame(readings(200)))
    assert [w.number for w in windows] == [0]
    assert windows[0].t == (0.0, 10.0)


def test_untimed_windows_are_the_samples_bit_for_bit() -> None:
    xyz = readings(1000)
    windows = feed(session(), cut(xyz, None, range(0, 1000, 13)))
    assert [w.number for w in windows] == list(range(21))
    for w in windows:
        assert w.xyz.tobytes() == xyz[w.start : w.end].tobytes()
        assert w.t == (w.start / 20, w.end / 20)


def test_the_rate_of_the_connection_counts_for_untimed_frames() -> None:
    live = session()
    windows = feed(live, [frame(readings(1000))], rate_hz=50.0)
    assert [w.number for w in windows] == [0, 1, 2, 3, 4]  # 19.98 s, less 0.25 s


def test_windows_are_dated_from_the_arrival_of_the_first_frame() -> None:
    live = session()
    assert live.feed(frame(readings(150), seq=0), arrived=1000.0) == []
    (window,) = live.feed(frame(readings(50), seq=1), arrived=5000.0)
    assert window.utc == 1010.0


def test_after_a_gap_they_are_dated_anew() -> None:
    live = session()
    t = np.arange(300) / 20
    live.feed(frame(readings(300), t), arrived=1000.0)
    window = live.feed(frame(readings(300), t + 500), arrived=3000.0)[0]
    assert (window.t[0], window.utc) == (500.0, 3010.0)


def test_a_prediction_says_everything() -> None:
    live = session()
    window = feed(live, [frame(readings(280))])[2]
    probabilities = fake_probabilities(window)
    prediction = live.predict(window, probabilities, latency_ms=8.4321)
    assert prediction.id == "pixel-7/s1/2"
    assert (prediction.window, prediction.start, prediction.end) == (2, 80, 280)
    assert prediction.t == (4.0, 14.0)
    assert prediction.time.timestamp() == 14.0
    assert list(prediction.probabilities) == list(ACTIVITIES)
    assert list(prediction.probabilities.values()) == probabilities.tolist()
    assert prediction.confidence == probabilities.max()
    assert (prediction.model, prediction.latency_ms) == ("fake@00000000", 8.432)


def test_unknown_is_an_activity_but_no_key() -> None:
    live = session()
    (window,) = feed(live, [frame(readings(200))])
    prediction = live.predict(window, np.full(6, 1 / 6, np.float32))
    assert prediction.activity == "Unknown"
    assert "Unknown" not in prediction.probabilities


def test_closing_flushes_nothing_and_ends_the_activity() -> None:
    live = session()
    for sent in cut(readings(399), None, range(0, 399, 20)):
        for window in live.feed(sent, arrived=100.0):
            probabilities = np.array([0, 1, 0, 0, 0, 0], np.float32)
            live.decide(live.predict(window, probabilities))
    assert live.activity == "Jogging"
    (ended,) = live.close()
    assert (ended.id, ended.activity) == ("pixel-7/s1/close/ended", "Jogging")
    assert (ended.started_t, ended.t) == (0.0, 398 / 20)


@pytest.mark.parametrize("leap", [(-1e11, 5e10), (1e11 - 30, -1e11), (0.0, 1e11 - 30)])
def test_a_clock_may_leap_by_ages(leap: tuple[float, float]) -> None:
    live, years = session(), []
    for t0 in leap:
        for window in live.feed(Frame(None, t0 + np.arange(600) / 20, None, readings(600)), 1.8e9):
            prediction = live.predict(window, np.eye(6, dtype=np.float32)[int(t0 < 0)])
            years += [event.time.year for event in live.decide(prediction)]
    assert min(years) >= 1970
    assert live.close()[0].time.year >= 1970


def test_counters_are_the_resamplers() -> None:
    live = session()
    t = np.concatenate([T, T[-1:], T[:1], T + 9])
    live.feed(frame(readings(42), t))
    assert asdict(live.counters) == {"late": 1, "duplicates": 1, "crowded": 0, "gaps": 1}


def test_sessions_share_nothing() -> None:
    a, b = Session("a", "s", OPTIONS), Session("b", "s", SessionOptions(("X",), "m", SIGNAL))
    feed(a, [frame(readings(300))])
    assert [w.number for w in feed(b, [frame(readings(200))])] == [0]
    assert b.predict(feed(b, [frame(readings(40))])[0], np.ones(1, np.float32)).id == "b/s/1"


def test_no_window_holds_the_signs_of_two_settings() -> None:
    live, still = session(), np.full((400, 3), 9.0, np.float32)
    live.feed(frame(still, seq=0))
    turned = live.feed(frame(-still, seq=1)._replace(axes="ios"))
    assert len(turned) == 6
    assert all((window.xyz == -9).all() for window in turned)
