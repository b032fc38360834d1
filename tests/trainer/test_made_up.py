"""Made-up windows of an evaluation: the same every time, possible for a sensor, and nobody's."""

import ast
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.wire.limits import STANDARD_GRAVITY
from trainer.evaluation import made_up
from trainer.labels import meanings

FOUND = made_up.examples()


def windows(kind: str) -> NDArray[np.float32]:
    return FOUND.where(FOUND.names == kind).xyz


def test_they_are_the_same_every_time_and_each_is_another() -> None:
    made_up.examples.cache_clear()
    again = made_up.examples()
    np.testing.assert_array_equal(FOUND.xyz, again.xyz)
    assert FOUND.names.tolist() == again.names.tolist()
    assert len(np.unique(FOUND.xyz[:, :, 0], axis=0)) > 0.95 * len(FOUND)  # some are frozen at 0


def test_they_are_words_of_nobody() -> None:
    assert not any(meanings(kind) for kind in made_up.KINDS)
    assert FOUND.people() == {made_up.NAME: ["nobody"]}


@pytest.mark.parametrize("kind", made_up.KINDS)
def test_a_sensor_could_read_them(kind: str) -> None:
    found = windows(kind)
    assert found.shape == (made_up.EACH, 200, 3)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 40 * STANDARD_GRAVITY


@pytest.mark.parametrize("kind", ["on a table", "leaning", "in a car", "handled"])
def test_gravity_is_in_them(kind: str) -> None:
    length = np.median(np.linalg.norm(windows(kind), axis=2))
    assert length == pytest.approx(STANDARD_GRAVITY, rel=0.05)


def test_each_kind_is_what_it_is_called() -> None:
    flat = np.abs(windows("on a table")[:, :, 2].mean(axis=1)) / STANDARD_GRAVITY
    leans = np.abs(windows("leaning")[:, :, 2].mean(axis=1)) / STANDARD_GRAVITY
    assert np.median(leans) < 0.9
    assert flat.min() > 0.95
    assert np.abs(np.diff(windows("frozen"), axis=1)).max() == 0
    falls = np.linalg.norm(windows("dropped"), axis=2)
    assert falls.min(axis=1).max() < 1.0
    assert np.median(falls.max(axis=1)) > 15
    turned = windows("handled")
    assert np.median(np.ptp(turned[:, :, 2], axis=1)) > STANDARD_GRAVITY


def test_shaking_is_at_1_to_6_hz() -> None:
    found = windows("shaken") - windows("shaken").mean(axis=1, keepdims=True)
    power = (np.abs(np.fft.rfft(found, axis=1)) ** 2).sum(axis=2)
    hz = np.fft.rfftfreq(200, 1 / 20)
    mean = (power * hz).sum(axis=1) / power.sum(axis=1)
    assert np.quantile(mean, 0.05) > 0.8
    assert np.quantile(mean, 0.95) < 7


def test_they_share_no_code_with_what_recipes_make_up() -> None:
    tree = ast.parse(Path(made_up.__file__).read_text("utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not any(module.startswith("trainer.recipes") for module in modules)
