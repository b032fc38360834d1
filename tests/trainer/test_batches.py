"""What the network is shown, and what it is told about it."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from trainer.recipes.batches import batches, chances, targets
from trainer.recipes.fit import Schedule, partial_crossentropy
from trainer.recipes.others import KINDS
from trainer.runtime import keras
from trainer.windows import Examples

NAMES = ["Walking", "Stairs", "Kicking", "Typing", "Unheard-of"]
DOWN, _JOG, _SIT, _STAND, UP, WALK, NONE = range(7)


def some(names: list[str]) -> Examples:
    windows = np.random.default_rng(0).normal(0, 5, (len(names), 200, 3)).astype(np.float32)
    people = np.full(len(names), "1")
    return Examples(np.array(names), people, people, windows)


def test_targets_say_all_that_a_window_may_be() -> None:
    rows = [set(np.flatnonzero(row).tolist()) for row in targets(some(NAMES))]
    assert rows == [{WALK}, {DOWN, UP}, {NONE}, set(), set()]


def test_words_of_each_data_set_are_drawn_by_the_root_of_their_frequency() -> None:
    part = some(["Walking"] * 900 + ["Jogging"] * 100 + ["Walking"] * 25)
    part = replace(part, datasets=np.array(["large"] * 1000 + ["small"] * 25))
    chance = chances(part)
    assert chance.sum() == pytest.approx(1.0)
    shares = [chance[span].sum() for span in (slice(0, 900), slice(900, 1000), slice(1000, 1025))]
    np.testing.assert_allclose(shares, np.array([30, 10, 5]) / 45)


def test_batches_hold_no_window_of_unknown_meaning_and_some_that_are_made_up() -> None:
    part = some(["Unheard-of"] * 50 + ["Walking"] * 3)
    drawn = list(islice(batches(part, 64, seed=0), 3))
    assert [windows.shape for windows, _ in drawn] == [(66, 200, 3)] * 3
    for _, may_be in drawn:
        assert (may_be[:64].argmax(axis=1) == WALK).all()
        assert (may_be[64:].argmax(axis=1) == NONE).all()
        assert (may_be.sum(axis=1) == 1).all()


def test_batches_follow_their_seed() -> None:
    one, same, other = (next(batches(some(NAMES), 64, seed))[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_made_up_windows_are_finite_and_within_what_the_server_takes(kind: str) -> None:
    windows = KINDS[kind](50, 200, np.random.default_rng(1))
    assert windows.shape == (50, 200, 3)
    assert np.abs(windows).max() < 40 * 9.80665
    assert len(np.unique(windows[:, 0], axis=0)) > 1


def test_a_frozen_sensor_does_not_stir_and_a_table_hardly() -> None:
    rng = np.random.default_rng(2)
    assert KINDS["frozen"](20, 200, rng).std(axis=1).max() < 1e-9
    table = KINDS["on a table"](20, 200, rng)
    assert 0 < table.std(axis=1).max() < 0.05
    assert np.abs(table.mean(axis=1)[:, 2]).min() > 9


def test_partial_labels_cost_what_is_outside_of_them() -> None:
    loss = partial_crossentropy(0.0)
    logits = np.log(np.array([[0.4, 0.4, 0.2]], np.float32))
    single = np.array([[1, 0, 0]], np.float32)
    either = np.array([[1, 1, 0]], np.float32)
    assert float(loss(single, logits)[0]) == pytest.approx(-np.log(0.4), rel=1e-5)
    assert float(loss(either, logits)[0]) == pytest.approx(-np.log(0.8), rel=1e-5)


def test_smoothing_is_keras_own_for_single_labels() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(8, 7)).astype(np.float32)
    single = np.eye(7, dtype=np.float32)[rng.integers(0, 7, 8)]
    theirs = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=0.05, reduction=None
    )(single, logits)
    np.testing.assert_allclose(
        np.asarray(partial_crossentropy(0.05)(single, logits)), np.asarray(theirs), rtol=1e-4
    )


def test_an_epoch_is_as_long_as_its_labels() -> None:
    assert Schedule(batch=64).steps(some(["Walking"] * 100 + ["Stairs"] * 29)) == 3
    assert Schedule(batch=64).steps(some(["Walking"] + ["Kicking"] * 500)) == 1
