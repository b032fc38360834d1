"""Small graphs that end as artifacts do, made of parts that tests put together."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from stream.model import artifact
from tests.conftest import toy_manifest

TERMS = 7  # six activities, and what is none of them
WEIGHTS = np.random.default_rng(5).normal(0, 0.4, (6, TERMS)).astype(np.float32)
BIAS = np.random.default_rng(6).normal(0, 0.1, TERMS).astype(np.float32)


def node(kind: str, given: str, made: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, given.split(), made.split(), **attributes)


FEATURES = [
    node("ReduceMean", "windows axes", "mean", keepdims=0),
    node("ReduceMax", "windows axes", "max", keepdims=0),
    node("ReduceMin", "windows axes", "min", keepdims=0),
    node("Sub", "max min", "range"),
    node("Concat", "mean range", "joined", axis=1),
    node("Mul", "joined scale", "features"),
]
SUM = [node("MatMul", "features kernel", "product"), node("Add", "product bias", "terms")]
GEMM = [node("Gemm", "features turned bias", "terms", transB=1)]
TEMPERED = [node("Div", "terms temperature", "exponents"), node("Softmax", "exponents", "soft")]
SHARED_OUT = [
    node("Slice", "soft zero six one", "own"),
    node("Slice", "soft six seven one", "none"),
    node("Div", "none sixth", "share"),
    node("Add", "own share", "probabilities"),
]


def graph(nodes: list[onnx.NodeProto]) -> bytes:
    """Return a graph of nodes that take `windows` (batch, 200, 3) and give `probabilities`."""
    weights: dict[str, NDArray[Any]] = {
        "axes": np.array([1], np.int64),
        "kernel": WEIGHTS,
        "turned": WEIGHTS.T,
        "bias": BIAS,
        "scale": np.array(0.3, np.float32),
        "temperature": np.array(1.3, np.float32),
        "zero": np.array([0], np.int64),
        "six": np.array([6], np.int64),
        "seven": np.array([7], np.int64),
        "one": np.array([1], np.int64),
        "sixth": np.array(6.0, np.float32),
    }
    used = {name for one in nodes for name in one.input}
    made = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("windows", TensorProto.FLOAT, ["batch", 200, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", None])],
        [numpy_helper.from_array(array, name) for name, array in weights.items() if name in used],
    )
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(made, opset_imports=opset, ir_version=9)
    return bytes(model.SerializeToString())


def rejecting() -> bytes:
    """Return a graph like that of `pocket`: a term for none of the activities, shared out."""
    # Slices run along the second axis, which is what their fourth input says.
    return graph([*FEATURES, *SUM, *TEMPERED, *SHARED_OUT])


def write_rejecting(folder: Path) -> Path:
    """Write it as an artifact."""
    folder.mkdir(parents=True)
    (folder / artifact.MODEL).write_bytes(rejecting())
    artifact.write(folder, toy_manifest(folder))
    return folder


def windows(count: int = 20) -> NDArray[np.float32]:
    """Return windows (count, 200, 3), each around a place of its own."""
    rng = np.random.default_rng(7)
    made = rng.normal(0, 5, (count, 1, 3)) + rng.normal(0, 0.6, (count, 200, 3))
    return made.astype(np.float32)
