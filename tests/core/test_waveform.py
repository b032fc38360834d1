"""Waveforms: the grid thinned out, the same however it was cut, bounded both ways."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.events import Waveform
from stream.session import Session, SessionOptions
from stream.signal.resample import Anchor, Stretch
from stream.signal.waveform import Thinner
from stream.wire import Frame

RNG = np.random.default_rng(4)
OPTIONS = SessionOptions(("Sitting", "Walking"), "toy@0")


def samples(count: int) -> NDArray[np.float32]:
    return RNG.normal([0, 9.8, 0], 3, (count, 3)).astype(np.float32)


def joined(messages: list[Waveform]) -> NDArray[np.float64]:
    return np.concatenate([np.array(message.xyz) for message in messages])


def played(thinner: Thinner, xyz: NDArray[np.float32], cuts: list[int]) -> list[Waveform]:
    """Feed grid samples of one segment, cut before each of `cuts`."""
    anchor, edges = Anchor(0, 100.0, 0.0), [0, *cuts, len(xyz)]
    out = []
    for first, end in pairwise(edges):
        out += thinner.feed([Stretch(first, xyz[first:end], anchor)])
    return out


def times(messages: list[Waveform]) -> NDArray[np.float64]:
    return np.concatenate([m.t0 + np.arange(len(m.xyz)) / m.rate_hz for m in messages])


@pytest.mark.parametrize("trial", range(200))
def test_cutting_changes_nothing(trial: int) -> None:
    xyz = samples(200)
    cuts = sorted(np.random.default_rng(trial).integers(0, 200, trial % 40).tolist())
    heard = played(Thinner("a", "s", 20.0), xyz, cuts)
    got = joined(heard)
    assert len(got) > 200 - 10  # less than half a second waits
    assert np.abs(got - xyz[: len(got)]).max() <= 0.0051  # rounded
    assert times(heard) == pytest.approx(100 + np.arange(len(got)) / 20)


def test_tiny_frames_make_two_messages_a_second_and_not_twenty() -> None:
    heard = played(Thinner("a", "s", 20.0), samples(200), list(range(1, 200)))
    assert [len(message.xyz) for message in heard] == [10] * 20


def test_of_a_huge_frame_only_the_newest_ten_seconds_are_told() -> None:
    xyz = samples(4000)
    (message,) = played(Thinner("a", "s", 20.0), xyz, [])
    assert len(message.xyz) == 200
    assert message.t0 == pytest.approx(100 + 3800 / 20)
    assert np.abs(np.array(message.xyz) - xyz[3800:]).max() <= 0.0051


@pytest.mark.parametrize(("grid_hz", "rate_hz", "step"), [(50.0, 50 / 3, 3), (40.0, 20.0, 2)])
def test_a_faster_grid_is_thinned_out(grid_hz: float, rate_hz: float, step: int) -> None:
    xyz = samples(400)
    heard = played(Thinner("a", "s", grid_hz), xyz, [7, 8, 9, 100, 101, 333])
    assert {message.rate_hz for message in heard} == {rate_hz}
    got = joined(heard)
    assert np.abs(got - xyz[::step][: len(got)]).max() <= 0.0051
    assert times(heard) == pytest.approx(100 + step / grid_hz * np.arange(len(got)))


def test_what_lies_before_a_gap_is_a_message_of_its_own() -> None:
    thinner = Thinner("a", "s", 20.0)
    assert thinner.feed([Stretch(0, samples(5), Anchor(0, 1.0, 0.0))]) == []
    before, after = thinner.feed([Stretch(40, samples(12), Anchor(40, 9.0, 0.0))])
    assert (before.t0, len(before.xyz)) == (1.0, 5)
    assert (after.t0, len(after.xyz)) == (9.0, 12)


def test_numbers_have_two_decimals_and_no_minus_zero() -> None:
    xyz = np.full((10, 3), [-0.001, 9.80665, 1 / 3], np.float32)
    (message,) = played(Thinner("a", "s", 20.0), xyz, [])
    assert repr(message.xyz[0]) == "[0.0, 9.81, 0.33]"


def test_a_session_keeps_what_its_newest_frame_brought() -> None:
    session = Session("a", "s", OPTIONS)
    xyz = samples(100)
    session.feed(Frame(0, 50 + np.arange(100) / 100, 100.0, xyz))
    (stretch,) = session.fresh
    assert (stretch.anchor.t, len(stretch.xyz)) == (50.0, 15)  # a quarter of a second is to come
    session.feed(Frame(0, None, None, xyz))  # a repeat
    assert session.fresh == []
