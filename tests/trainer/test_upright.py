"""To the network every phone stands upright, whichever way round it is in a pocket."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from trainer.recipes.upright import FLAT, upright

GRAVITY = np.array([3.0, 8.0, 4.0])  # m/s²


def readings(seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(GRAVITY, 2.0, (5, 200, 3)).astype(np.float32)


def stood(windows: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what `upright` makes of windows (n, time, 3), and what moved, in the same order."""
    turned, moved = upright(windows.transpose(0, 2, 1).astype(np.float32))
    return np.asarray(turned).transpose(0, 2, 1), np.asarray(moved).transpose(0, 2, 1)


def test_gravity_points_along_y_and_the_screens_normal_stays() -> None:
    windows = readings(1)
    turned, _ = stood(windows)
    np.testing.assert_allclose(turned[:, :, 2], windows[:, :, 2], rtol=1e-6)
    mean = turned.mean(axis=1)
    in_plane = np.linalg.norm(windows.mean(axis=1)[:, :2], axis=1)
    np.testing.assert_allclose(mean[:, 0], 0.0, atol=1e-4)
    np.testing.assert_allclose(mean[:, 1], in_plane, rtol=1e-4)


def test_it_only_turns() -> None:
    windows = readings(2)
    turned, _ = stood(windows)
    length = np.linalg.norm(windows, axis=2)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=2), length, rtol=1e-4)


@pytest.mark.parametrize("degrees", [1, 45, 90, 180, 271])
def test_any_turn_about_the_screens_normal_comes_out_the_same(degrees: float) -> None:
    windows = readings(3)
    turn = Rotation.from_euler("z", degrees, degrees=True).as_matrix().T
    for one, other in zip(stood(windows), stood(windows @ turn), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-4)


def test_what_moved_is_counted_from_the_first_reading() -> None:
    turned, moved = stood(readings(4))
    np.testing.assert_array_equal(moved[:, 0], 0.0)
    np.testing.assert_allclose(moved, turned - turned[:, :1], atol=1e-5)


def test_a_phone_that_lies_nearly_flat_is_turned_and_not_shrunk() -> None:
    flat = np.random.default_rng(5).normal([0.0, 0.002, 9.8], 0.02, (5, 200, 3))
    turned, moved = stood(flat)
    for found in (turned, moved):
        spread = np.hypot(*np.moveaxis(found[:, :, :2].std(axis=1), -1, 0))
        expected = np.hypot(*np.moveaxis(flat[:, :, :2].std(axis=1), -1, 0))
        np.testing.assert_allclose(spread, expected, rtol=1e-3)


def test_a_phone_that_lies_quite_flat_stays_as_it_lies() -> None:
    """Its x and y move about exactly 0, and so give no direction."""
    flat = np.tile(np.array([[0.25, 0.5, 9.75], [-0.25, -0.5, 9.75]], np.float32), (1, 100, 1))
    turned, moved = stood(flat)
    np.testing.assert_allclose(turned, flat, atol=1e-5)
    np.testing.assert_allclose(moved, flat - flat[:, :1], atol=1e-5)


def test_a_phone_that_reads_nothing_stays_at_that() -> None:
    for found in stood(np.zeros((1, 200, 3))):
        assert not found.any()


def test_there_is_a_direction_where_gravity_cancels_what_is_added_to_it() -> None:
    against = np.tile(-FLAT + np.array([0, 0, 9.8], np.float32), (1, 200, 1))
    for found in stood(against):
        assert np.isfinite(found).all()
