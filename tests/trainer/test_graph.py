"""The last layer is found, recomputed and replaced; graphs that end in another way are refused."""

from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto

from stream.errors import ArtifactError
from stream.model import artifact
from tests.trainer import toy_graphs as toys
from tests.trainer.toy_graphs import FEATURES, GEMM, SHARED_OUT, SUM, TEMPERED, node
from trainer.personal.fit import Lesson, fitted
from trainer.personal.graph import Graph

SOFTMAX = [node("Softmax", "terms", "probabilities")]
PLAIN = [*FEATURES, node("MatMul", "features kernel", "terms")]


@pytest.mark.parametrize(
    ("nodes", "bias"),
    [
        ([*PLAIN, *SOFTMAX], False),
        ([*FEATURES, *SUM, *SOFTMAX], True),
        ([*FEATURES, *GEMM, *SOFTMAX], True),
        ([*FEATURES, *SUM, *TEMPERED, *SHARED_OUT], True),
        ([*FEATURES, *GEMM, *TEMPERED, *SHARED_OUT], True),
    ],
)
def test_the_end_is_found_recomputed_and_replaced(nodes: list[NodeProto], bias: bool) -> None:
    graph = Graph(toys.graph(nodes), "toy")
    assert graph.has_bias is bias
    np.testing.assert_array_equal(graph.layer.kernel, toys.WEIGHTS.astype(float))
    assert graph.check(toys.windows()) < 1e-6
    np.testing.assert_allclose(graph.probabilities(toys.windows()).sum(axis=1), 1, rtol=1e-5)
    change = np.random.default_rng(0).normal(0, 0.3, graph.layer.kernel.shape)
    layer = graph.layer.moved(change, 0.5 * bias * np.arange(7.0))
    changed = graph.replaced(layer)
    expected = layer.probabilities(graph.features(toys.windows()))
    np.testing.assert_allclose(changed.probabilities(toys.windows()), expected, atol=1e-6)
    assert np.abs(expected - graph.probabilities(toys.windows())).max() > 0.05
    assert Graph(changed.content(), "again").content() == changed.content()


def test_what_is_shared_out_is_read_off() -> None:
    layer = Graph(toys.rejecting(), "toy").layer
    np.testing.assert_allclose(layer.mix, np.eye(7) / 1.3, rtol=1e-6)
    np.testing.assert_allclose(layer.share, [*np.eye(6), np.full(6, 1 / 6)], rtol=1e-6)
    assert layer.terms_of(np.array([0, 5])).tolist() == [True, *[False] * 4, True, False]


def test_a_trained_artifact_can_be_adapted() -> None:
    content = (artifact.SHIPPED / artifact.MODEL).read_bytes()
    Graph(content, "shipped").check(toys.windows())


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        ([*PLAIN, node("Sigmoid", "terms", "probabilities")], "there is no Softmax"),
        ([*FEATURES, node("Softmax", "features", "probabilities")], "weights of its last layer"),
        (
            [
                *PLAIN,
                node("Relu", "terms", "positive"),
                node("Softmax", "positive", "probabilities"),
            ],
            "more than scaling between its last layer and the softmax",
        ),
        (
            [*PLAIN, node("Softmax", "terms", "soft"), node("Sqrt", "soft", "probabilities")],
            "more than sums of terms behind the softmax",
        ),
        (
            [
                *FEATURES,
                *SUM,
                node("Softmax", "terms", "soft"),
                node("Slice", "soft zero six one", "own"),
                node("Slice", "features zero six one", "beside"),
                node("Add", "own beside", "probabilities"),
            ],
            "probabilities depends on ",
        ),
    ],
)
def test_other_ends_are_refused_by_name(nodes: list[NodeProto], why: str) -> None:
    with pytest.raises(ArtifactError, match=f"^mine: can't be adapted: .*{why}") as error:
        Graph(toys.graph(nodes), "mine")
    assert "\n" not in str(error.value)
    assert "`gaitway train` writes such graphs" in str(error.value)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x08\x09"])
def test_what_is_no_graph_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"^mine: can't be adapted"):
        Graph(content, "mine")


def lesson(activities: list[int], each: int = 20) -> tuple[Graph, Lesson]:
    """Return a graph, and features around a place of their own for each activity."""
    rng = np.random.default_rng(2)
    labels = np.repeat(np.array(activities, np.int64), each)
    centres = rng.normal(0, 3, (6, 6))
    return Graph(toys.rejecting(), "toy"), Lesson(
        centres[labels] + rng.normal(0, 0.3, (len(labels), 6)), labels
    )


def test_the_slope_is_that_of_the_loss() -> None:
    graph, taught = lesson([0, 2, 5], each=4)
    loss, slopes = graph.layer.loss(taught.features, taught.labels, taught.weights)
    p = graph.layer.probabilities(taught.features)[np.arange(12), taught.labels]
    assert loss == pytest.approx(float(taught.weights @ -np.log(p)))
    for term in range(7):
        step = np.eye(7)[term] * 1e-6
        there = graph.layer.moved(np.zeros((6, 7)), step)
        more, _ = there.loss(taught.features, taught.labels, taught.weights)
        assert (more - loss) / 1e-6 == pytest.approx(slopes[:, term].sum(), abs=1e-4)


def test_what_was_not_taught_keeps_its_weights() -> None:
    graph, taught = lesson([0, 2])
    layer = fitted(graph.layer, taught)
    moved = np.abs(layer.kernel - graph.layer.kernel).sum(axis=0) > 0
    assert moved.tolist() == [True, False, True, False, False, False, False]
    assert ((layer.bias != graph.layer.bias) == moved).all()
    still = fitted(graph.layer, taught, bias=False)
    np.testing.assert_array_equal(still.bias, graph.layer.bias)


def test_a_lesson_is_learnt_the_less_the_stronger_the_pull() -> None:
    graph, taught = lesson([0, 1, 2, 3, 4, 5])
    losses, moves = [], []
    for pull in (1e6, 10.0, 0.1):
        layer = fitted(graph.layer, taught, pull)
        losses.append(layer.loss(taught.features, taught.labels, taught.weights)[0])
        moves.append(float(np.abs(layer.kernel - graph.layer.kernel).max()))
    assert losses == sorted(losses, reverse=True)
    assert moves == sorted(moves)
    assert moves[0] < 1e-3
    best = layer.probabilities(taught.features).argmax(axis=1)
    assert (best == taught.labels).mean() > 0.95


def test_activities_count_the_same_however_much_there_is_of_each() -> None:
    weights = Lesson(np.zeros((5, 2)), np.array([0, 0, 0, 0, 3])).weights
    assert weights.sum() == pytest.approx(5)
    assert weights[:4].sum() == pytest.approx(weights[4])
