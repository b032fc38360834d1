"""Where an ONNX graph ends: its last weights, the softmax behind them, and the parts between.

It finds names and cuts parts out; it computes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import onnx
from onnx import TensorProto, helper


@dataclass(frozen=True, slots=True)
class End:
    """Names of values of the graph; `bias` is empty where there is none."""

    features: str  # what the last product takes
    kernel: str  # weights
    bias: str  # weights
    transposed: bool  # the kernel is (terms, features)
    terms: str  # what the last layer gives
    exponents: str  # what the softmax takes
    softmax: str  # what it gives
    output: str


def end_of(model: onnx.ModelProto) -> End:
    """Find the last Softmax, and the last product with weights of its own before it.

    Raises ValueError, which says what there is not.
    """
    output = model.graph.output[0].name
    softmax = next((node for node in behind(model, output) if node.op_type == "Softmax"), None)
    if softmax is None:
        raise ValueError("there is no Softmax")
    weights = {item.name for item in model.graph.initializer}
    product = _product(model, softmax.input[0])
    if product is None or product.input[1] not in weights:
        raise ValueError("the weights of its last layer can't be found")
    added = _added(model, product, weights)
    # The bias is Gemm's third input, or whichever input of the sum is no product.
    beside = product.input[2:] if product.op_type == "Gemm" else added.input if added else ()
    return End(
        features=product.input[0],
        kernel=product.input[1],
        bias=next((name for name in beside if name in weights), ""),
        transposed=any(item.name == "transB" and item.i == 1 for item in product.attribute),
        terms=(added or product).output[0],
        exponents=softmax.input[0],
        softmax=softmax.output[0],
        output=output,
    )


def behind(model: onnx.ModelProto, name: str, until: str = "") -> Iterator[onnx.NodeProto]:
    """Yield the nodes that `name` is computed by, the last first, back to `until`."""
    makers = {made: node for node in model.graph.node for made in node.output}
    found, todo = set[str](), [name]
    while todo:
        value = todo.pop()
        maker = None if value == until else makers.get(value)
        if maker is not None and maker.output[0] not in found:
            found.add(maker.output[0])
            todo.extend(maker.input)
    # A graph's nodes stand in an order in which they can be computed.
    return (node for node in reversed(model.graph.node) if node.output[0] in found)


def part(model: onnx.ModelProto, start: str, end: str) -> onnx.ModelProto:
    """Cut out what computes `end` (batch, …) from `start` (batch, …).

    Raises ValueError if it takes anything else that is not fixed.
    """
    nodes = list(behind(model, end, start))[::-1]
    weights = [item for item in model.graph.initializer if any(item.name in n.input for n in nodes)]
    known = {start, "", *(item.name for item in weights), *(o for n in nodes for o in n.output)}
    others = sorted({name for node in nodes for name in node.input} - known)
    if others:
        raise ValueError(f"{end} depends on {others[0]}, past the last layer")
    graph = helper.make_graph(
        nodes,
        "part",
        [helper.make_tensor_value_info(start, TensorProto.FLOAT, ["batch", None])],
        [helper.make_tensor_value_info(end, TensorProto.FLOAT, ["batch", None])],
        weights,
    )
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _product(model: onnx.ModelProto, name: str) -> onnx.NodeProto | None:
    found = (node for node in behind(model, name) if node.op_type in {"MatMul", "Gemm"})
    return next(found, None)


def _added(
    model: onnx.ModelProto, product: onnx.NodeProto, weights: set[str]
) -> onnx.NodeProto | None:
    """Return the sum of a product and weights, if it is all that the product is used for."""
    users = [node for node in model.graph.node if product.output[0] in node.input]
    if product.op_type == "Gemm" or [node.op_type for node in users] != ["Add"]:
        return None
    return users[0] if weights & set(users[0].input) else None
