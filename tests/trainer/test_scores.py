"""Figures of windows, each against a value worked out by hand."""

import numpy as np
import pytest

from trainer.evaluation.answers import Answers
from trainer.evaluation.reliability import BINS, reliability
from trainer.evaluation.scores import score, scores
from trainer.evaluation.unknown import unknown
from trainer.recordings import ACTIVITIES

DOWN, JOG, SIT, STAND, UP, WALK = ACTIVITIES


def answers(*rows: tuple[str, str, float], subject: str = "1", dataset: str = "x") -> Answers:
    """Return a window a row: its word, the activity that was answered, and how surely."""
    names, said, sure = zip(*rows, strict=True)
    rest = (1 - np.array(sure, np.float32)[:, None]) / 5
    probabilities = np.repeat(rest, 6, axis=1).astype(np.float32)
    probabilities[np.arange(len(rows)), [ACTIVITIES.index(name) for name in said]] = sure
    origins = np.full(len(rows), dataset), np.full(len(rows), subject)
    return Answers(np.array(names), *origins, probabilities)


def test_a_partial_label_is_right_with_each_activity_that_it_allows() -> None:
    found = score("x", answers(("Stairs", UP, 0.9), ("Stairs", DOWN, 0.9), ("Stairs", WALK, 0.9)))
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.known.windows == 3
    assert found.labelled.windows == 0
    assert found.f1 == {}
    assert found.confusion.sum() == 0
    assert found.merged_accuracy == pytest.approx(2 / 3)
    assert found.merged_f1 == {"Stairs": pytest.approx(0.8)}


def test_merged_stairs_forgive_the_direction_alone() -> None:
    rows = [(UP, DOWN, 0.9), (DOWN, DOWN, 0.9), ("Stairs", UP, 0.9), (WALK, UP, 0.9)]
    found = score("x", answers(*rows, (WALK, WALK, 0.9)))
    assert found.labelled.share == pytest.approx(2 / 4)
    assert found.accuracy == pytest.approx(3 / 5)
    # Stairs: 3 right, 1 too many. Walking: 1 right, 1 missing.
    assert found.merged_accuracy == pytest.approx(4 / 5)
    assert found.merged_f1 == {"Stairs": pytest.approx(6 / 7), WALK: pytest.approx(2 / 3)}
    assert found.merged_macro_f1 == pytest.approx((6 / 7 + 2 / 3) / 2)


def test_f1_counts_the_activities_present() -> None:
    found = score("x", answers((SIT, SIT, 0.9), (SIT, STAND, 0.9), (WALK, WALK, 0.9)))
    assert found.f1 == {SIT: pytest.approx(2 / 3), WALK: pytest.approx(1.0)}
    assert found.macro_f1 == pytest.approx((2 / 3 + 1) / 2)
    assert found.confusion[ACTIVITIES.index(SIT), ACTIVITIES.index(STAND)] == 1


def test_other_words_are_in_no_score() -> None:
    found = score("x", answers((SIT, SIT, 0.9), ("Kicking", SIT, 0.9)))
    assert found.known.windows == 1
    assert found.accuracy == 1.0


def test_calibration_error_by_hand() -> None:
    # Two windows in the last of 15 bins, half right; two in ((9/15), (10/15)], both right:
    # 2/4 |0.5 - 0.95| + 2/4 |1 - 0.62|.
    found = reliability(np.array([0.95, 0.95, 0.62, 0.62]), np.array([True, False, True, True]))
    assert found.error == pytest.approx(0.225 + 0.19)
    assert found.windows.tolist() == [0] * 9 + [2] + [0] * 4 + [2]
    assert found.accuracy[[9, 14]].tolist() == [1.0, 0.5]
    rows = [(SIT, SIT, 0.95), (SIT, UP, 0.95), (UP, UP, 0.62), (UP, UP, 0.62)]
    assert score("x", answers(*rows, ("Stairs", WALK, 1.0))).reliability.error == pytest.approx(
        0.415
    )


@pytest.mark.parametrize(("confidence", "place"), [(0.0, 0), (0.05, 0), (0.99, 14), (1.0, 14)])
def test_bins_take_every_confidence(confidence: float, place: int) -> None:
    found = reliability(np.array([confidence]), np.array([True]))
    assert found.windows.argmax() == place
    assert len(found.windows) == BINS


def test_nothing_is_perfectly_calibrated() -> None:
    assert reliability(np.array([]), np.array([], bool)).error == 0.0


def test_the_worst_person_is_named_by_data_set() -> None:
    parts = [
        answers((SIT, SIT, 0.9), (UP, UP, 0.9), subject="1"),
        answers((SIT, STAND, 0.9), (UP, UP, 0.9), subject="2"),
        answers((SIT, STAND, 0.9), (SIT, SIT, 0.9), (UP, SIT, 0.9), subject="1", dataset="y"),
    ]
    x, y, everyone = scores(Answers.joined(parts))
    assert (x.group, y.group, everyone.group) == ("x", "y", "all")
    assert x.known.worst == ("x/2", 0.5)
    assert everyone.known.worst == ("y/1", 1 / 3)
    assert everyone.metrics("split")["split_worst_subject_accuracy_all"] == 0.3333


def test_unknown_is_decided_by_the_servers_rule() -> None:
    # 0.49996 is 0.5 on four decimals, which is not below 0.5.
    rows = [(SIT, SIT, 0.49996), (SIT, SIT, 0.4999), (WALK, UP, 0.3), ("Stairs", UP, 0.9)]
    found = unknown(answers(*rows))
    assert found.lost == pytest.approx(2 / 4)
    assert found.unknown is None
    assert found.others == ()


def test_other_words_are_told_apart() -> None:
    kicks = [("Kicking", WALK, sure) for sure in (0.4, 0.55, 0.7, 0.8)]
    catches = [("Catch", STAND, 0.45)] * 2
    found = unknown(answers((SIT, SIT, 0.9), ("Typing", SIT, 0.9), *kicks, *catches))
    assert found.lost == 0.0
    assert found.unknown == pytest.approx(3 / 6)
    assert found.unsure == pytest.approx(4 / 6)
    catch, kicking, typing = found.others
    assert (catch.word, kicking.word, typing.word) == ("Catch", "Kicking", "Typing")
    assert (kicking.unknown, kicking.unsure) == (0.25, 0.5)
    assert (kicking.says, kicking.says_share, kicking.windows) == (WALK, 1.0, 4)
    assert (typing.disguise, typing.unsure, typing.says) == (SIT, 0.0, SIT)
