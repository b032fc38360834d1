"""Writes a Keras model as ONNX, and proves that the graph answers like the model."""

import copy
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from trainer.errors import ExportError
from trainer.runtime import keras

TOLERANCE = 1e-5
INPUT, OUTPUT = "windows", "probabilities"


def export(
    model: Any,  # noqa: ANN401  Keras is untyped
    path: Path,
    windows: NDArray[np.float32],
    expected: NDArray[np.float32],
) -> float:
    """Write `model` to `path` and return its greatest difference from `expected`.

    `windows` (n, time, 3) are raw, in m/s²; `expected` (n, classes) is what the model answered
    as it was trained. Raises ExportError, and leaves no file, if the difference is over 1e-5.
    """
    graph = canonical(_converted(model))
    difference = float(np.abs(answers(graph, windows) - expected).max())
    if not difference <= TOLERANCE:
        raise ExportError(
            f"the exported graph differs from the trained model by {difference:.2g}, "
            f"more than {TOLERANCE:g}"
        )
    path.write_bytes(graph)
    return difference


def answers(graph: bytes, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the graph's probabilities (n, classes) for raw windows (n, time, 3)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    parts = [windows[at : at + 64] for at in range(0, len(windows), 64)]
    return np.concatenate([session.run([OUTPUT], {INPUT: part})[0] for part in parts])


def _converted(model: Any) -> bytes:  # noqa: ANN401
    """Return the model as Keras itself exports it."""
    signature = [keras.InputSpec(shape=model.input_shape, dtype="float32", name=INPUT)]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # Keras probes for a name that numpy has announced to bring back.
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        file = Path(folder) / "model.onnx"
        model.export(str(file), format="onnx", input_signature=signature, verbose=False)
        return file.read_bytes()


def canonical(content: bytes) -> bytes:
    """Name input, output and the batch axis of an ONNX file as the artifact's contract does.

    Nodes are put in order, and everything inside is numbered in the order of use: the converter's
    own order and names change from run to run, and the same weights should have the same hash.
    """
    model = onnx.load_from_string(content)
    graph = model.graph
    _put_in_order(graph)
    names = {"": "", graph.input[0].name: INPUT, graph.output[0].name: OUTPUT}
    for number, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{number}"
        node.input[:] = [names.setdefault(name, f"v{len(names)}") for name in node.input]
        node.output[:] = [names.setdefault(name, f"v{len(names)}") for name in node.output]
    for value in (graph.input[0], graph.output[0]):
        value.name = names[value.name]
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    _keep_used(graph, names)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _put_in_order(graph: onnx.GraphProto) -> None:
    """Put each node right behind those it needs, beginning at the output: there is one such way."""
    makers = {name: node for node in graph.node for name in node.output}
    order: dict[int, onnx.NodeProto] = {}

    def place(name: str) -> None:
        node = makers.get(name)
        if node is None or id(node) in order:
            return
        for needed in node.input:
            place(needed)
        order[id(node)] = node

    for output in graph.output:
        place(output.name)
    nodes = [copy.deepcopy(node) for node in order.values()]
    del graph.node[:]
    graph.node.extend(nodes)


def _keep_used(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    """Rename weights as their users do, put them in the order of use, and drop the notes."""
    place = {name: at for at, name in enumerate(names)}
    used = sorted((w for w in graph.initializer if w.name in names), key=lambda w: place[w.name])
    for weight in used:
        weight.name = names[weight.name]
    del graph.initializer[:]
    graph.initializer.extend(used)
    del graph.value_info[:]
