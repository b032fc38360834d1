"""The temperature makes confidence what it says; the graph answers as the formula does."""

import numpy as np
import pytest

from stream.config import Signal
from trainer.recipes.calibration import shared_out, temperature
from trainer.recipes.hop_bilstm import answering, hop_bilstm

RNG = np.random.default_rng(0)


def test_what_is_none_of_the_six_is_shared_out() -> None:
    certain = np.array([[0, 0, 0, 0, 0, 0, 50], [50, 0, 0, 0, 0, 0, 0]], np.float32)
    none, first = shared_out(certain)
    np.testing.assert_allclose(none, 1 / 6, atol=1e-6)
    np.testing.assert_allclose(first, np.eye(6)[0], atol=1e-6)
    np.testing.assert_allclose(
        shared_out(RNG.normal(size=(50, 7)).astype(np.float32)).sum(axis=1), 1.0, rtol=1e-6
    )


@pytest.mark.parametrize("true", [0.6, 1.0, 2.5])
def test_the_temperature_of_logits_that_are_too_sure_or_unsure_is_found(true: float) -> None:
    logits = np.column_stack([RNG.normal(0, 2, (20_000, 6)), np.full(20_000, -20.0)])
    odds = np.exp(logits)
    odds /= odds.sum(axis=1, keepdims=True)
    labels = (odds.cumsum(axis=1) > RNG.random((20_000, 1))).argmax(axis=1)
    found = temperature((logits * true).astype(np.float32), labels, np.full(20_000, "a"))
    assert found == pytest.approx(true, rel=0.05)


def test_groups_count_alike() -> None:
    logits = np.tile(np.array([[4, 0, 0, 0, 0, 0, -20]], np.float32), (110, 1))
    labels = np.zeros(110, np.int64)
    labels[:10][::2] = 1  # the small group is right half the time, the large one always
    groups = np.array(["small"] * 10 + ["large"] * 100)
    alike = temperature(logits, labels, groups)
    assert alike > temperature(logits, labels, np.full(110, "one")) * 1.2


def test_the_graph_answers_as_the_formula_does() -> None:
    network = hop_bilstm(Signal(), 6)
    windows = RNG.normal(0, 6, (5, 200, 3)).astype(np.float32)
    np.testing.assert_allclose(
        np.asarray(answering(network, 1.7)(windows)),
        shared_out(np.asarray(network(windows)), 1.7),
        atol=1e-6,
    )
