"""The halves of the network's last layer: how somebody moves, and whether they sit or stand."""

import numpy as np
import pytest

from trainer.recipes.hop_bilstm import WIDTH, kept_apart
from trainer.recordings import ACTIVITIES

# Keras 3.15 reads TensorFlow's variables in a way that numpy 2 has announced to drop.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SITTING, STANDING = ACTIVITIES.index("Sitting"), ACTIVITIES.index("Standing")
MOVING = [at for at in range(len(ACTIVITIES) + 1) if at not in (SITTING, STANDING)]


def weights(seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    shape = (2 * WIDTH, len(ACTIVITIES) + 1)
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_movement_never_says_whether_somebody_sits_or_stands() -> None:
    kept = np.asarray(kept_apart(weights(1)))
    np.testing.assert_array_equal(kept[:WIDTH, SITTING], kept[:WIDTH, STANDING])
    np.testing.assert_array_equal(kept[:WIDTH, MOVING], weights(1)[:WIDTH, MOVING])


def test_stillness_says_nothing_else() -> None:
    kept = np.asarray(kept_apart(weights(2)))
    np.testing.assert_array_equal(kept[WIDTH:, SITTING], -kept[WIDTH:, STANDING])
    assert np.abs(kept[WIDTH:, SITTING]).min() > 0
    assert not kept[WIDTH:, MOVING].any()


def test_what_is_kept_apart_stays_as_it_is() -> None:
    kept = np.asarray(kept_apart(weights(3)))
    np.testing.assert_allclose(kept_apart(kept), kept, rtol=1e-6)
