"""The network's parts: hops by themselves, and the last layer's halves, which are kept apart."""

import numpy as np
import pytest

from stream.config import Signal
from trainer.recipes.hop_bilstm import WIDTH, hop_bilstm, kept_apart
from trainer.recordings import ACTIVITIES
from trainer.runtime import keras

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


def test_each_hop_is_encoded_by_itself() -> None:
    network = hop_bilstm(Signal(), len(ACTIVITIES))
    last = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)][-1]
    encode = keras.Model(network.input, last.output)
    one = np.random.default_rng(4).normal([1.0, 9.0, 3.0], 1.0, (1, 200, 3)).astype(np.float32)
    other = one.copy()
    other[:, 80:120, 2] += 1.0  # out of the screen, so that upright stays where it was
    changed = np.abs(np.asarray(encode(other)) - np.asarray(encode(one))).max(axis=(0, 2, 3)) > 0
    assert changed.tolist() == [False, False, True, False, False]
