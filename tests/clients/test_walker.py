"""The synthetic walker, and what the shipped model makes of it."""

from collections import Counter

import numpy as np
import pytest

from clients.walker import GAITS, walk
from stream.config import Signal
from stream.model.artifact import SHIPPED
from stream.model.classifier import OnnxClassifier
from stream.session import Session, SessionOptions
from stream.wire import Frame


def test_the_same_seed_is_the_same_walk() -> None:
    script = [("Walking", 5.0), ("Sitting", 5.0)]
    first, again = walk("a", script, seed=3), walk("b", script, seed=3)
    np.testing.assert_array_equal(first.xyz, again.xyz)
    assert (first.xyz != walk("a", script, seed=4).xyz).any()


@pytest.mark.parametrize("rate_hz", [20.0, 50.0, 100.0])
def test_a_script_becomes_samples_with_labels(rate_hz: float) -> None:
    track = walk("a", [("Walking", 5.0), ("Sitting", 3.0)], rate_hz=rate_hz)
    assert len(track.t) == len(track.xyz) == len(track.labels) == 8 * rate_hz
    assert Counter(track.labels.tolist()) == {"Walking": 5 * rate_hz, "Sitting": 3 * rate_hz}
    np.testing.assert_allclose(np.diff(track.t), 1 / rate_hz)
    assert track.xyz.dtype == np.float32


@pytest.mark.parametrize("activity", GAITS)
def test_gravity_is_in_it_and_no_phone_is_thrown(activity: str) -> None:
    xyz = walk("a", [(activity, 60.0)], rate_hz=50.0).xyz
    assert np.linalg.norm(xyz.mean(axis=0)) == pytest.approx(9.81, abs=0.5)
    assert np.abs(xyz).max() < 60  # m/s²


def test_steps_come_at_a_walkers_pace() -> None:
    for activity, low, high in (("Walking", 1.7, 2.1), ("Jogging", 2.5, 3.0)):
        y = walk("a", [(activity, 60.0)], rate_hz=50.0, seed=1).xyz[:, 1]
        power = np.abs(np.fft.rfft(y - y.mean()))
        loudest_hz = np.fft.rfftfreq(len(y), 1 / 50)[power.argmax()]
        assert low < loudest_hz < high


@pytest.mark.parametrize("activity", GAITS)
def test_the_shipped_model_recognises_it(activity: str) -> None:
    classifier = OnnxClassifier(SHIPPED, Signal())
    names = classifier.manifest.activities
    answers: Counter[str] = Counter()
    for seed in range(5):
        track = walk("a", [(activity, 40.0)], rate_hz=50.0, seed=seed)
        session = Session("a", "s", SessionOptions(activities=names, model="m"))
        windows = session.feed(Frame(0, track.t, None, track.xyz))
        probabilities = classifier.classify(np.stack([window.xyz for window in windows]))
        answers.update(names[best] for best in probabilities.argmax(axis=1))
    assert answers[activity] >= 0.9 * answers.total()
