"""A pocket colours movement, and leaves gravity alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.recipes.coupling import AXIS_DB, COMMON_DB, KNOTS_HZ, coupled

TIME_S = (np.arange(200) + 0.5) / 20  # so that cosines go on as they were, mirrored


def waves(hz: float, count: int = 3000) -> NDArray[np.float32]:
    """Return windows of one wave along every axis, upright."""
    wave = np.cos(2 * np.pi * hz * TIME_S)[:, None] + np.array([0.0, 9.81, 0.0])
    return np.tile(wave.astype(np.float32), (count, 1, 1))


def gains_db(hz: float) -> NDArray[np.float32]:
    """Return what became of such waves, by window and axis."""
    felt = coupled(waves(hz), np.random.default_rng(1))
    gains: NDArray[np.float32] = 20 * np.log10(felt.std(axis=1) / waves(hz, 1).std(axis=1))
    return gains


@pytest.mark.parametrize("hz", KNOTS_HZ[1:-1])
def test_a_wave_is_weaker_or_stronger_by_as_much_as_is_said(hz: float) -> None:
    found = gains_db(hz)
    assert found.std() == pytest.approx(np.hypot(COMMON_DB, AXIS_DB), rel=0.1)
    assert abs(found.mean()) < 0.3


def test_axes_go_together_in_part() -> None:
    found = np.atleast_2d(np.corrcoef(gains_db(2.0).T))
    shared = COMMON_DB**2 / (COMMON_DB**2 + AXIS_DB**2)
    np.testing.assert_allclose(found[np.triu_indices(3, 1)], shared, atol=0.06)


def test_gravity_stays() -> None:
    windows = np.random.default_rng(2).normal([1, 9, 2], 3.0, (50, 200, 3)).astype(np.float32)
    felt = coupled(windows, np.random.default_rng(3))
    assert felt.dtype == np.float32
    np.testing.assert_allclose(felt.mean(axis=1), windows.mean(axis=1), atol=1e-4)


def test_a_phone_at_rest_feels_nothing() -> None:
    rest = np.tile(np.array([0, 0, 9.8], np.float32), (8, 200, 1))
    np.testing.assert_allclose(coupled(rest, np.random.default_rng(4)), rest, rtol=1e-5)


def test_both_ends_go_on_as_they_were() -> None:
    """Without the mirror a window's end would be joined to its beginning."""
    ramp = np.linspace(-5, 5, 200, dtype=np.float32)[None, :, None] * np.ones(3, np.float32)
    felt = coupled(np.tile(ramp, (200, 1, 1)), np.random.default_rng(5))
    assert np.abs(np.diff(felt[:, :20], axis=1)).max() < 1.0
    assert np.abs(np.diff(felt[:, -20:], axis=1)).max() < 1.0
