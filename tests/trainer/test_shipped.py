"""The model that ships, on windows that nobody recorded: it must know what it doesn't know."""

import numpy as np
import pytest
from numpy.typing import NDArray

from clients.walker import walk
from stream.config import Signal
from stream.model.artifact import SHIPPED
from stream.model.classifier import OnnxClassifier
from trainer.evaluation import made_up
from trainer.evaluation.unknown import is_unsure
from trainer.recipes.others import KINDS
from trainer.recordings import ACTIVITIES

MODEL = OnnxClassifier(SHIPPED, Signal())


@pytest.mark.parametrize("kind", KINDS)
def test_made_up_windows_of_nobody_are_unknown_or_unsure(kind: str) -> None:
    """The same kinds as in training, but other windows. Slow shaking is much like jogging."""
    windows = KINDS[kind](500, 200, np.random.default_rng(20261125)).astype(np.float32)
    assert is_unsure(MODEL.classify(windows)).mean() > (0.7 if kind == "shaken" else 0.95)


@pytest.mark.parametrize("kind", ["in a car", "noise", "frozen", "handled"])
def test_so_are_some_that_no_recipe_makes_up(kind: str) -> None:
    """Of the other kinds of `made_up`, README's limits say what it makes."""
    found = made_up.examples()
    assert is_unsure(MODEL.classify(found.where(found.names == kind).xyz)).mean() > 0.9


def test_a_table_is_told_from_a_person_who_sits_still() -> None:
    rng = np.random.default_rng(1)
    breath = 0.06 * np.sin(2 * np.pi * 0.25 * np.arange(200) / 20)
    sits = np.array([0.5, 3.0, 9.3]) + breath[:, None] + rng.normal(0, 0.03, (50, 200, 3))
    assert not is_unsure(MODEL.classify(sits.astype(np.float32))).any()


def hardly_moving(tilt: float) -> NDArray[np.float32]:
    """Return what is read of somebody who breathes, and of a phone `tilt` degrees from flat."""
    rng = np.random.default_rng(2)
    breath = 0.02 * np.sin(2 * np.pi * 0.25 * np.arange(200) / 20)
    gravity = 9.81 * np.array([0, np.sin(np.radians(tilt)), np.cos(np.radians(tilt))])
    windows = gravity + breath[:, None] + rng.normal(0, 0.02, (50, 200, 3))
    return np.asarray(windows, np.float32)


@pytest.mark.parametrize("tilt", [0, 0.1, 2, 5, 10, 90])
def test_a_person_who_hardly_moves_is_told_from_a_table(tilt: float) -> None:
    """A phone flat on the thigh reads next to nothing but its noise, and breathing."""
    probabilities = MODEL.classify(hardly_moving(tilt))
    still = probabilities[:, [ACTIVITIES.index("Sitting"), ACTIVITIES.index("Standing")]]
    assert still.sum(axis=1).min() > 0.9


@pytest.mark.parametrize("tilt", [0, 0.1, 2, 5, 10, 45])
def test_they_sit_if_the_phone_lies(tilt: float) -> None:
    """Of one that stands upright it can't be said whether such a person sits."""
    probabilities = MODEL.classify(hardly_moving(tilt))
    assert (probabilities.argmax(axis=1) == ACTIVITIES.index("Sitting")).all()
    assert is_unsure(probabilities).mean() < 0.1


def test_walking_is_not() -> None:
    track = walk("p", (("Walking", 30.0),), rate_hz=20.0, seed=3)
    windows = np.stack([track.xyz[at : at + 200] for at in range(0, 400, 40)])
    assert not is_unsure(MODEL.classify(windows)).any()
