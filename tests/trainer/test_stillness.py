"""What tells sitting from standing: the same however a phone is turned in its pocket."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from stream.config import Signal
from trainer.recipes.stillness import BANDS_HZ, FAINTEST, loudness, stillness
from trainer.recipes.upright import upright

SIGNAL = Signal()
BANDS = len(BANDS_HZ) - 1
SHARES, POWERS = slice(0, 2), slice(2, 2 + 4 * BANDS)
ACROSS, ALONG, OUT, DOWN = range(4)
UPRIGHT = np.array([1.0, 9.0, 3.0])  # m/s²


def swaying(hz: float, direction: list[float], size: float = 0.1) -> NDArray[np.float32]:
    """Return one window of a phone that stands nearly upright and sways along a line."""
    t = np.arange(SIGNAL.window) / SIGNAL.grid_hz
    sway = size * np.sin(2 * np.pi * hz * t)[:, None] * np.array(direction)
    window: NDArray[np.float32] = (UPRIGHT + sway)[None].astype(np.float32)
    return window


def told(windows: NDArray[np.floating]) -> NDArray[np.float32]:
    turned, moved = upright(windows.transpose(0, 2, 1).astype(np.float32))
    found = stillness(np.asarray(turned).mean(axis=2), moved, SIGNAL)
    return np.asarray(found, np.float32)


def powers(windows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the logarithmic power of the first window in each band and axis, (bands, 4)."""
    return told(windows)[0, POWERS].reshape(4, BANDS).T


@pytest.mark.parametrize("degrees", [37, 90, 180, 300])
def test_turning_the_phone_about_its_screens_normal_changes_nothing(degrees: float) -> None:
    windows = np.random.default_rng(1).normal(UPRIGHT, 0.1, (8, SIGNAL.window, 3))
    turned = windows @ Rotation.from_euler("z", degrees, degrees=True).as_matrix().T
    np.testing.assert_allclose(told(turned), told(windows), atol=1e-3)


@pytest.mark.parametrize("axis", ["x", "y"])
def test_nor_does_turning_it_over(axis: str) -> None:
    windows = np.random.default_rng(2).normal(UPRIGHT, 0.1, (8, SIGNAL.window, 3))
    turned = windows @ Rotation.from_euler(axis, 180, degrees=True).as_matrix().T
    np.testing.assert_allclose(told(turned), told(windows), atol=1e-3)


def test_tilting_it_towards_the_sky_does() -> None:
    flat, upright = (
        told(np.tile(gravity, (1, SIGNAL.window, 1)))[0, SHARES]
        for gravity in ([0.0, 0.0, -9.80665], [-9.80665, 0.0, 0.0])
    )
    np.testing.assert_allclose(flat, [-1.5, 1.5], atol=0.02)
    np.testing.assert_allclose(upright, [1.5, -1.5], atol=0.02)


@pytest.mark.parametrize(("hz", "band"), [(0.4, 1), (0.8, 2), (3.0, 4), (9.0, 6)])
@pytest.mark.parametrize(
    ("direction", "axis"),
    [([0.11, 0.994, 0.0], ALONG), ([0.994, -0.11, 0.0], ACROSS), ([0.0, 0.0, 1.0], OUT)],
)
def test_a_sway_is_found_in_its_band_and_its_direction(
    hz: float, band: int, direction: list[float], axis: int
) -> None:
    found = powers(swaying(hz, direction))[:, :DOWN]
    assert np.argwhere(found == found.max()).tolist() == [[band, axis]]


def test_white_noise_has_its_variance_in_every_band() -> None:
    noise = np.random.default_rng(3).normal(0, 0.2, (2000, SIGNAL.window, 3))
    found = told(UPRIGHT + noise)[:, POWERS].reshape(-1, 4, BANDS)
    square = np.exp(((found - 0.6) / 3 - 1) * 4).mean(axis=0)
    np.testing.assert_allclose(square[:, 1:], 0.04, rtol=0.1)  # the mean is taken off the lowest


@pytest.mark.parametrize("gravity", [0.0, 9.8])
def test_a_frozen_sensor_and_none_of_gravity_are_finite(gravity: float) -> None:
    found = told(np.tile([0.0, 0.0, gravity], (1, SIGNAL.window, 1)))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[:, POWERS], 3 * float(loudness(0.0)) + 0.6, atol=1e-4)


def test_a_faint_sway_is_not_lost_beside_gravity() -> None:
    faint, exact = swaying(0.8, [0.0, 0.0, 1.0], 0.003), UPRIGHT[2]
    reference = faint.astype(np.float64)[0, :, 2] - exact
    spectrum = np.abs(np.fft.rfft((reference - reference.mean()) * np.hanning(200))) ** 2
    hz = np.fft.rfftfreq(200, 1 / 20)
    power = spectrum[(hz >= 0.5) & (hz < 1.0)].mean() / (np.hanning(200) ** 2).sum()
    expected = 3 * float(loudness(power)) + 0.6
    assert powers(faint)[2, OUT] == pytest.approx(expected, abs=2e-3)


def test_beside_a_strong_movement_a_faint_band_has_a_floor() -> None:
    square = np.exp(((powers(swaying(3.0, [0.0, 0.0, 1.0], 8.0))[:, OUT] - 0.6) / 3 - 1) * 4)
    assert square.min() == pytest.approx(FAINTEST * square.mean(), rel=0.05)
