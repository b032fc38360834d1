"""Labelled samples are cut out, however they came: in frames of any size, with labels between."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.errors import DeviceError
from stream.labels import HOLD_S, MAX_HELD, MAX_WAITING, Labeller, Part
from tests.core.streams import readings, rough_times

Times = NDArray[np.float64]
Given = tuple[int, float | None, str | None]  # before which sample a label comes; t; label
Stretches = list[tuple[str, list[float]]]


def joined(parts: Sequence[Part]) -> Stretches:
    """Put the parts of a stretch together; return labels and times."""
    found: Stretches = []
    for part in parts:
        if part.begins:
            found.append((part.label, []))
        assert found[-1][0] == part.label
        found[-1][1].extend(row[0] for row in part.rows)
    return found


def stretches(
    t: Times, labels: Sequence[Given], edges: Sequence[int] = (), *, end: bool = True
) -> tuple[Stretches, int]:
    """Feed samples, cut at `edges`, with the labels between; return what came, and what didn't."""
    labeller, parts, unordered = Labeller(1.0), list[Part](), 0
    xyz = readings(len(t))
    cuts = sorted({0, len(t), *(at for at, _, _ in labels), *edges})
    for first, last in zip(cuts, [*cuts[1:], len(t)], strict=True):
        for at, when, label in labels:
            if at == first:
                labeller.label(when, label)
        labeller.feed(t[first:last], xyz[first:last])
        more, dropped = labeller.take()
        parts, unordered = parts + more, unordered + dropped
    if end:
        labeller.end()
        parts += labeller.take()[0]
    sent = {(when, *values) for when, values in zip(t.tolist(), xyz.tolist(), strict=True)}
    assert sent.issuperset(row for part in parts for row in part.rows)
    return joined(parts), unordered


def ticks(first: float, end: float) -> list[float]:
    """Return the times of `SECONDS` in [first, end)."""
    return [t for t in SECONDS.tolist() if first <= t < end]


SECONDS: Times = np.arange(240) / 4  # a minute at 4 Hz


#  samples   0 ........ 10 ........ 20 ........ 30 ........ 60 s
#  Walking                |<--------->|


def test_from_its_time_on_until_it_is_ended() -> None:
    labels: list[Given] = [(0, 10.0, "Walking"), (100, 30.0, None)]
    assert stretches(SECONDS, labels) == ([("Walking", ticks(10, 30))], 0)


def test_without_a_time_it_counts_from_the_next_sample_on() -> None:
    labels: list[Given] = [(40, None, "Walking"), (80, None, None)]
    assert stretches(SECONDS, labels) == ([("Walking", ticks(10, 20))], 0)


def test_it_ends_or_changes_in_arrears() -> None:
    """The newest seconds are held, so that taking the phone out of a pocket is not recorded."""
    labels: list[Given] = [(0, 10.0, "Walking"), (80, 17.0, None), (160, 37.0, "Sitting")]
    labels += [(200, 48.0, "Standing")]
    found, _ = stretches(SECONDS, labels)
    assert found == [
        ("Walking", ticks(10, 17)),
        ("Sitting", ticks(40, 48)),  # what came unlabelled is not kept
        ("Standing", ticks(48, 60)),
    ]


def test_what_is_no_longer_held_keeps_its_label() -> None:
    labels: list[Given] = [(0, 0.0, "Walking"), (120, 5.0, "Sitting")]
    found, _ = stretches(SECONDS, labels)
    held = 30.0 - 0.25 - HOLD_S  # s; the sample at that time has just been let go
    assert found == [("Walking", ticks(0, held + 0.1)), ("Sitting", ticks(held + 0.1, 60))]


def test_a_later_label_takes_back_those_that_wait() -> None:
    labels: list[Given] = [(0, 10.0, "Walking"), (0, 30.0, "Sitting"), (60, 20.0, None)]
    assert stretches(SECONDS, labels)[0] == [("Walking", ticks(10, 20))]
    labels = [(0, 10.0, "Walking"), (20, None, None)]
    assert stretches(SECONDS, labels)[0] == []


def test_the_same_label_again_begins_another_stretch_only_after_an_end() -> None:
    labels: list[Given] = [(0, 10.0, "Walking"), (60, 15.0, "Walking")]
    assert stretches(SECONDS, labels)[0] == [("Walking", ticks(10, 60))]
    labels = [(0, 10.0, "Walking"), (60, 15.0, None), (60, 15.25, "Walking")]
    found, _ = stretches(SECONDS, labels)
    assert found == [("Walking", ticks(10, 15)), ("Walking", ticks(15.25, 60))]


def test_a_gap_ends_nothing() -> None:
    t = np.concatenate([SECONDS[:80], SECONDS[90:]])
    found, _ = stretches(t, [(0, 0.0, "Walking")])
    assert found == [("Walking", ticks(0, 20) + ticks(22.5, 60))]


def test_time_that_runs_back_ends_all_labels() -> None:
    t = np.concatenate([SECONDS[:80], SECONDS[20:]])
    found, _ = stretches(t, [(0, 0.0, "Walking"), (0, 30.0, "Sitting")])
    assert found == [("Walking", ticks(0, 20))]


def test_what_is_out_of_order_is_left_out_and_counted() -> None:
    t = SECONDS.copy()
    t[[50, 51]] = t[[51, 50]]
    t[60] = t[59]
    found, unordered = stretches(t, [(0, 10.0, "Walking")])
    assert unordered == 2
    left = [when for when in ticks(10, 60) if when not in {12.5, 15.0}]
    assert found == [("Walking", left)]


def test_signs_never_mix_in_a_stretch() -> None:
    labeller = Labeller(1.0)
    labeller.label(None, "Walking")
    labeller.feed(SECONDS[:40], readings(40))
    labeller.break_off()
    labeller.feed(SECONDS[40:], readings(200))
    labeller.end()
    found = joined(labeller.take()[0])
    assert found == [("Walking", ticks(0, 10)), ("Walking", ticks(10, 60))]


def test_unlabelled_samples_are_not_kept() -> None:
    labeller = Labeller(1.0)
    labeller.feed(SECONDS, readings(240))
    assert labeller.idle
    assert labeller.take() == ([], 0)
    labeller.end()
    assert not labeller.ready


def test_what_is_held_and_what_waits_are_bounded() -> None:
    labeller = Labeller(1.0)
    labeller.label(None, "Walking")
    n = 3 * MAX_HELD
    labeller.feed(np.arange(n) / 1e6, readings(n))
    assert sum(len(part.rows) for part in labeller.take()[0]) == n - MAX_HELD
    for second in range(MAX_WAITING):
        labeller.label(10.0 + second, "Walking")
    with pytest.raises(DeviceError, match="16 labels wait"):
        labeller.label(100.0, "Walking", seq=7)
    labeller.label(5.0, None)  # takes the others back
    labeller.label(7.0, None)


given_labels = st.lists(
    st.tuples(
        st.integers(0, 999),
        st.one_of(st.none(), st.floats(0, 60)),
        st.sampled_from(["Walking", "Sitting", None]),
    ),
    max_size=6,
)
incidents = st.lists(
    st.tuples(st.sampled_from(["gap", "step", "late", "again"]), st.floats(0, 1), st.floats(0, 3)),
    max_size=3,
)


@settings(max_examples=100, deadline=None)
@given(labels=given_labels, trouble=incidents, seed=st.integers(0, 2**32))
def test_cutting_changes_nothing(
    labels: list[Given], trouble: list[tuple[str, float, float]], seed: int
) -> None:
    t = np.unique(rough_times(1000, 25.0, seed, trouble))  # times tell samples apart below
    np.random.default_rng(seed).shuffle(t[400:404])
    labels = [(min(at, len(t)), when, label) for at, when, label in labels]
    whole = stretches(t, labels)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        assert stretches(t, labels, rng.integers(0, len(t), 40).tolist()) == whole
