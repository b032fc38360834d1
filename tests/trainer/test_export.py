"""Export: the graph takes raw windows, answers like the model, and a model that differs fails."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from stream.config import Signal
from stream.model import artifact
from stream.model.classifier import OnnxClassifier
from trainer.checksums import checksums
from trainer.errors import ExportError
from trainer.export import TOLERANCE, canonical, export
from trainer.manifest import Origin, Proof, write_artifact
from trainer.recipes.hop_bilstm import answering, hop_bilstm
from trainer.recipes.networks import with_scaler
from trainer.runtime import keras

SIGNAL = Signal()
CENTER, SCALE = [0.5, 7.0, -1.0], [4.0, 6.0, 5.0]


def raw(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(0, 8, (count, 200, 3)).astype(np.float32)


def tiny() -> object:
    keras.utils.set_random_seed(0)
    windows = keras.Input((200, 3), name="windows")
    x = keras.layers.Bidirectional(keras.layers.LSTM(4))(windows)
    return keras.Model(windows, keras.layers.Dense(6, activation="softmax")(x))


def scaled_answers(model: object, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    scaled = ((windows - CENTER) / SCALE).astype(np.float32)
    return np.asarray(model(scaled), np.float32)  # type: ignore[operator]


def test_graph_scales_and_answers_like_the_model(tmp_path: Path) -> None:
    model, windows = tiny(), raw(70)
    expected = scaled_answers(model, windows)
    path = tmp_path / "model.onnx"
    difference = export(with_scaler(model, CENTER, SCALE), path, windows, expected)
    assert difference <= TOLERANCE
    session = onnxruntime.InferenceSession(path)
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.type, taken.shape) == ("windows", "tensor(float)", ["batch", 200, 3])
    assert (given.name, given.shape) == ("probabilities", ["batch", 6])
    for count in (1, 3, 70):
        (answered,) = session.run(None, {"windows": windows[:count]})
        np.testing.assert_allclose(answered, expected[:count], atol=TOLERANCE)


def test_the_order_in_which_a_converter_writes_nodes_does_not_matter() -> None:
    kinds = ("Abs", "Neg", "Floor", "Ceil")
    ways = [onnx.helper.make_node(kind, ["in"], [kind]) for kind in kinds]
    joined = onnx.helper.make_node("Sum", list(kinds), ["out"])

    def end(name: str) -> list[onnx.ValueInfoProto]:
        shape: list[str | int | None] = ["batch", 6]
        return [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)]

    def written(nodes: list[onnx.NodeProto]) -> bytes:
        graph = onnx.helper.make_graph([*nodes, joined], "made up", end("in"), end("out"))
        return bytes(onnx.helper.make_model(graph).SerializeToString())

    assert written(ways) != written(ways[::-1])
    assert canonical(written(ways)) == canonical(written(ways[::-1]))


def test_a_graph_that_differs_leaves_no_file(tmp_path: Path) -> None:
    model, windows = tiny(), raw(8)
    path = tmp_path / "model.onnx"
    unscaled = np.asarray(model(windows), np.float32)  # type: ignore[operator]
    with pytest.raises(ExportError, match=r"differs .* by .* more than 1e-05"):
        export(with_scaler(model, CENTER, SCALE), path, windows, unscaled)
    assert not path.exists()


def test_the_server_takes_the_artifact(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model, windows = answering(hop_bilstm(SIGNAL, 6), 1.3), raw(65)
    expected = np.asarray(model(windows), np.float32)
    origin = Origin("pocket", (), {"train": ("x/1",)}, {"split_accuracy_x": 0.5})
    written = write_artifact(tmp_path, model, Proof(windows, expected), origin, SIGNAL)
    classifier = OnnxClassifier(tmp_path, SIGNAL)
    assert classifier.manifest == written == artifact.load(tmp_path)
    assert written.metrics["export_max_difference"] <= TOLERANCE
    assert (tmp_path / artifact.MODEL).stat().st_size < 2_000_000
    np.testing.assert_allclose(classifier.classify(windows), expected, atol=TOLERANCE)


def test_the_graph_follows_the_network_where_a_phone_hardly_stirs(tmp_path: Path) -> None:
    """The logarithm of a small sway must not make digits of what float32 lost beside gravity."""
    keras.utils.set_random_seed(0)
    network = hop_bilstm(SIGNAL, 6)
    dense = network.get_layer(index=-2)
    kernel, bias = dense.get_weights()
    kernel[-3:] *= 10  # the sway's, as a training may leave them
    dense.set_weights([kernel, bias])
    model = answering(network, 1.0)
    rng = np.random.default_rng(1)
    stir = rng.normal(size=(64, 200, 3)) * np.geomspace(1e-3, 0.1, 64)[:, None, None]
    windows = (np.array([5.6, -5.6, 5.7]) + stir).astype(np.float32)
    expected = np.asarray(model(windows), np.float32)
    assert export(model, tmp_path / "model.onnx", windows, expected) <= TOLERANCE


def test_a_folders_checksum_follows_names_and_content(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a.csv").write_text("1")
    before = checksums(folder)
    assert list(before) == ["set/"]
    (folder / "a.csv").rename(folder / "b.csv")
    renamed = checksums(folder)
    (folder / "b.csv").write_text("2")
    assert len({str(sums) for sums in (before, renamed, checksums(folder))}) == 3
    assert list(checksums(folder / "b.csv")) == ["b.csv"]
