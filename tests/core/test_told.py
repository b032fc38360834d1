"""What is known of a device besides its messages counts more; windows never mix signs."""

import json

import numpy as np
import pytest

from stream.config import Wire
from stream.wire import Frame, Source, Told, decode
from stream.wire.binary import encode_binary
from stream.wire.limits import STANDARD_GRAVITY
from tests.core.streams import Times, cut, feed, readings, session

XYZ = np.array([[0.5, -0.25, 1.0]], np.float32)


def decoded(source: Source, told: Told, **said: str) -> list[Frame]:
    text = json.dumps({"seq": 0, "xyz": XYZ.tolist(), **said})
    frames = [decode(text, source, Wire(), text=True, told=told)]
    if not said:  # binary frames say nothing
        frames.append(decode(encode_binary(0, XYZ), source, Wire(), text=False, told=told))
    return frames


@pytest.mark.parametrize("said", [{}, {"units": "m/s2", "axes": "android"}])
@pytest.mark.parametrize("source", [Source(), Source(axes="ios"), Source(units="g")])
def test_it_overrides_connection_and_frame(source: Source, said: dict[str, str]) -> None:
    for frame in decoded(source, Told("g", "ios", "config.toml says so"), **said):
        np.testing.assert_allclose(frame.xyz, -XYZ * STANDARD_GRAVITY, rtol=1e-6)
        assert frame.axes == "ios"
        assert frame.note == "Readings are taken as g with iOS's signs: config.toml says so."


def test_one_of_both_leaves_the_other_as_it_was_said() -> None:
    for frame in decoded(Source(units="g"), Told(axes="ios", why="the face-up check found it")):
        np.testing.assert_allclose(frame.xyz, -XYZ * STANDARD_GRAVITY, rtol=1e-6)


def test_where_nothing_is_told_nothing_is_noted() -> None:
    for frame in decoded(Source(axes="ios"), Told()):
        assert (frame.axes, frame.note) == ("ios", "")
        assert (frame.xyz == -XYZ).all()


@pytest.mark.parametrize("t", [None, 5 + np.arange(900) / 20])
def test_after_a_break_windows_begin_anew(t: Times | None) -> None:
    #  0          450 | 480             930
    #  windows 0 … 6  | from 12 on
    xyz = readings(900)
    live = session()
    frames = list(cut(xyz, t, range(0, 900, 50)))
    before = feed(live, frames[:9])
    live.break_off()
    after = feed(live, frames[9:])
    first = after[0]
    assert [w.number for w in before] == list(range(7))
    assert (first.number, first.start) == (12, 480)
    np.testing.assert_allclose(first.xyz, xyz[450:650], atol=1e-4)
    assert first.t[0] == pytest.approx((0 if t is None else 5) + 450 / 20)
    assert live.counters.gaps == 0


def test_a_break_before_anything_changes_nothing() -> None:
    live = session()
    live.break_off()
    assert [w.number for w in feed(live, cut(readings(250), None, []))] == [0, 1]
