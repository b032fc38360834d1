"""Window k covers [40k, 40k + 200); those across a gap are skipped, numbers and all."""

import numpy as np
import pytest

from stream.config import Signal
from stream.signal.resample import Anchor, Resampler, Stretch
from stream.signal.window import Window, Windower
from tests.core.streams import SIGNAL, feed, frame, readings, session

BEGIN = Anchor(0, 12.3, 1e9)


def stretch(start: int, n: int, anchor: Anchor = BEGIN) -> Stretch:
    """Return grid samples whose values are their indices."""
    index = np.arange(start, start + n, dtype=np.float32)
    return Stretch(start, np.column_stack([index, index, index]), anchor)


def numbers(windows: list[Window]) -> list[int]:
    return [window.number for window in windows]


def test_windows_begin_a_hop_apart() -> None:
    # 0         200
    # [  0      )
    #   [  1      )
    #     [  2      )
    windower = Windower(SIGNAL)
    assert windower.feed(stretch(0, 199)) == []
    (first,) = windower.feed(stretch(199, 1))
    assert first[:3] == (0, 0, 200)
    assert first.xyz.dtype == np.float32
    assert first.xyz.shape == (200, 3)
    assert windower.feed(stretch(200, 39)) == []
    second, third = windower.feed(stretch(239, 50))
    assert (second[:3], third[:3]) == ((1, 40, 240), (2, 80, 280))
    assert second.xyz[:, 0].tolist() == list(range(40, 240))
    assert third.xyz[:, 0].tolist() == list(range(80, 280))


def test_times_count_from_the_beginning_of_the_segment() -> None:
    windower = Windower(SIGNAL)
    window = windower.feed(stretch(0, 1000))[7]
    assert window.t == (12.3 + 14, 12.3 + 24)
    assert window.utc == pytest.approx(1e9 + 24)


def test_windows_across_a_gap_are_skipped() -> None:
    #   [ 0..210 )          ->    window 0
    #                [ 240..480 ) ->  windows 6 and 7: 1 to 5 would lie across
    windower = Windower(SIGNAL)
    assert numbers(windower.feed(stretch(0, 210))) == [0]
    after = windower.feed(stretch(240, 240, Anchor(240, 50.0, 2e9)))
    assert numbers(after) == [6, 7]
    assert after[0].t == (50.0, 60.0)
    assert after[0].utc == pytest.approx(2e9 + 10)
    assert after[0].xyz[0, 0] == 240


def test_a_gap_that_ends_at_a_multiple_of_the_hop_is_a_gap() -> None:
    """The index goes on without a hole, but time does not."""
    #   [ 0..200 )[ 200..440 )
    windower = Windower(SIGNAL)
    assert numbers(windower.feed(stretch(0, 200))) == [0]
    assert numbers(windower.feed(stretch(200, 240, Anchor(200, 50.0, 2e9)))) == [5, 6]


def test_the_whole_core_skips_them_too() -> None:
    t = np.concatenate([np.arange(200) / 20, 50 + np.arange(300) / 20])
    windows = feed(session(), [frame(readings(500), t)])
    assert [window.start for window in windows] == [0, 200, 240, 280]
    assert windows[1].t == (50.0, 60.0)


def test_a_short_segment_gives_no_window() -> None:
    windower = Windower(SIGNAL)
    for k in range(5):
        assert windower.feed(stretch(160 * k, 150, Anchor(160 * k, 20.0 * k, 0.0))) == []


@pytest.mark.parametrize(("window", "hop"), [(200, 40), (200, 200), (64, 1), (7, 3), (1, 1)])
def test_any_length_and_hop(window: int, hop: int) -> None:
    signal = Signal(window=window, hop=hop)
    windower, found = Windower(signal), []
    for start in range(0, 1000, 9):
        found += windower.feed(stretch(start, min(9, 1000 - start)))
    assert numbers(found) == list(range((1000 - window) // hop + 1))
    for w in found:
        assert (w.start, w.end) == (w.number * hop, w.number * hop + window)
        assert w.xyz[:, 0].tolist() == list(range(w.start, w.end))


def test_windows_own_their_samples() -> None:
    sent = readings(300)
    windows = [
        w for s in [Resampler(SIGNAL).feed_on_grid(sent)[0]] for w in Windower(SIGNAL).feed(s)
    ]
    kept = windows[0].xyz.copy()
    sent[:] = 0
    windows[1].xyz[:] = 0
    assert windows[0].xyz.tobytes() == kept.tobytes()
