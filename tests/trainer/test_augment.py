"""Augmentation keeps what must stay: shapes, norms where it only turns, and its seed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.recipes import augment
from trainer.recipes.augment import about, half_turns, quarter_turns, slow_down, tilts, warp


def batch(count: int = 64) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(0, 6, (count, 200, 3)).astype(np.float32)


@pytest.mark.parametrize("make", [half_turns, quarter_turns, tilts])
def test_turns_are_rotations(make: augment.MakeTurns) -> None:
    turns = make(200, np.random.default_rng(2))
    np.testing.assert_allclose(
        turns @ turns.transpose(0, 2, 1), np.tile(np.eye(3), (200, 1, 1)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(turns), 1.0)


def test_quarter_turns_are_about_the_screens_normal() -> None:
    turns = quarter_turns(200, np.random.default_rng(3))
    np.testing.assert_allclose(turns @ [0, 0, 9.8], np.tile([0, 0, 9.8], (200, 1)), atol=1e-12)
    ends = {tuple(np.round(turn @ [1, 0, 0]).astype(int).tolist()) for turn in turns}
    assert ends == {(1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, -1, 0)}


def test_half_turns_turn_the_phone_over_and_upside_down() -> None:
    turns = half_turns(200, np.random.default_rng(4))
    diagonals = {tuple(np.diag(turn).astype(int).tolist()) for turn in turns}
    assert diagonals == {(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)}


def test_tilts_have_their_deviation() -> None:
    turns = tilts(5000, np.random.default_rng(5))
    angle = np.rad2deg(np.arccos((np.trace(turns, axis1=1, axis2=2) - 1) / 2))
    assert np.sqrt((angle**2).mean()) == pytest.approx(augment.TILT_DEG, rel=0.05)


def test_rodrigues_formula() -> None:
    turn = about(np.array([[0.0, 0.0, 1.0]]), np.array([np.pi / 2]))[0]
    np.testing.assert_allclose(turn @ [1, 0, 0], [0, 1, 0], atol=1e-12)


def test_a_batch_keeps_shape_type_and_about_its_norm() -> None:
    windows = batch()
    out = augment.augment(windows, np.random.default_rng(6))
    assert out.shape == windows.shape
    assert out.dtype == np.float32
    at_rest = np.tile(np.array([0, 0, 9.8], np.float32), (64, 200, 1))
    norm = np.linalg.norm(augment.augment(at_rest, np.random.default_rng(7)), axis=2)
    assert norm.min() > 9.8 * (1 - augment.SCALE) - 1
    assert norm.max() < 9.8 * (1 + augment.SCALE) + 1


def test_the_seed_decides() -> None:
    one, same, other = (augment.augment(batch(), np.random.default_rng(n)) for n in (8, 8, 9))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("change", [warp, slow_down])
def test_changes_of_time_stay_between_the_samples(change: augment.Change) -> None:
    windows = batch()
    out = change(windows, np.random.default_rng(10))
    assert out.min() >= windows.min()
    assert out.max() <= windows.max()
    constant = np.full((8, 200, 3), 3.0, np.float32)
    np.testing.assert_allclose(change(constant, np.random.default_rng(11)), 3.0, rtol=1e-6)


def test_warp_changes_the_cadence_by_at_most_its_share() -> None:
    t = np.arange(200) / 20
    wave = np.sin(2 * np.pi * 2.0 * t).astype(np.float32)
    out = warp(np.tile(wave[None, :, None], (300, 1, 3)), np.random.default_rng(12))[:, 25:175, 0]
    cadence = (np.diff(np.sign(out), axis=1) != 0).sum(axis=1) / 2 / 7.5
    assert cadence.min() == pytest.approx(2.0 * (1 - augment.WARP), abs=0.15)
    assert cadence.max() == pytest.approx(2.0 * (1 + augment.WARP), abs=0.15)


def test_noise_is_from_a_good_sensors_to_a_bad_ones() -> None:
    deviation = augment.noise((2000, 200, 3), np.random.default_rng(11)).std(axis=(1, 2))
    low, high = augment.NOISE_MS2
    assert low * 0.8 < deviation.min() < low * 1.5
    assert high * 0.7 < deviation.max() < high * 1.2
    assert np.median(deviation) == pytest.approx(np.sqrt(low * high), rel=0.2)


def test_one_window_in_five_is_rounded_as_browsers_do() -> None:
    windows = batch(2000)
    out = augment.rounded(windows, np.random.default_rng(12))
    changed = (out != windows).any(axis=(1, 2))
    assert changed.mean() == pytest.approx(augment.ROUNDED_CHANCE, abs=0.03)
    tenths = out[changed] * 10
    np.testing.assert_allclose(tenths, np.round(tenths), atol=1e-4)
    assert np.abs(out - windows).max() <= 0.05 + 1e-5
