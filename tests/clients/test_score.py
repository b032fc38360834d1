"""A replay is scored by the labels of the windows."""

import numpy as np
import pytest

from clients.score import Score
from clients.track import Track
from stream.events import Error, Missed
from tests.clients.made import prediction


def scored(label: str, *answers: str) -> Score:
    track = Track(
        "p", 20.0, np.arange(2000) / 20, np.zeros((2000, 3), np.float32), np.full(2000, label)
    )
    score = Score(track)
    for window, answer in enumerate(answers):
        score.hear(prediction(window, answer), 0.0)
    return score


def test_right_is_what_the_label_says() -> None:
    score = scored("Walking", "Walking", "Walking", "Sitting", "Unknown")
    assert (score.predictions, score.labelled, score.right) == (4, 4, 2)
    assert score.accuracy == pytest.approx(0.5)
    assert score.activities == {"Walking": 2, "Sitting": 1, "Unknown": 1}


def test_a_label_that_the_model_does_not_know_counts_for_nothing() -> None:
    score = scored("Typing", "Walking", "Sitting")
    assert score.labelled == 0
    assert score.accuracy is None


def test_stairs_may_go_either_way() -> None:
    score = scored("Stairs", "Upstairs", "Downstairs", "Walking")
    assert (score.labelled, score.right) == (2, 2)  # the third message names no stairs


def test_a_forgotten_session_counts_from_its_own_beginning() -> None:
    track = Track(
        "p",
        20.0,
        np.arange(800) / 20,
        np.zeros((800, 3), np.float32),
        np.repeat(["Walking", "Sitting"], 400),
    )
    score = Score(track)
    score.hear(prediction(0, "Sitting"), before_s=20.0)
    assert (score.labelled, score.right) == (1, 1)
    assert score.end == pytest.approx(30.0)


def test_what_went_wrong_is_kept() -> None:
    score = scored("Walking")
    score.hear(Missed(count=3), 0.0)
    score.hear(Error(code="bad-frame", message="first"), 0.0)
    score.hear(Error(code="bad-frame", message="second"), 0.0)
    assert score.missed == 3
    assert score.first_error == "bad-frame: first"
