"""An artifact's ONNX graph, whose last layer can be read, fed and replaced without TensorFlow.

How the softmax depends on the last layer, and the answers on the softmax, is read off by asking
these parts of the graph, whatever operations they are made of.
"""

from collections.abc import Callable
from typing import Self

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import numpy_helper

from stream.errors import ArtifactError
from trainer.personal.graph_end import end_of, part
from trainer.personal.last_layer import LastLayer, Numbers

TOLERANCE = 1e-5
PROBES = 64  # random inputs for which a part must be the map that it was read as
BATCH = 256
NEEDS = (
    "only a graph can that ends in a product with weights (and a bias), scaling, one softmax, and "
    "sums of its terms; `gaitway train` writes such graphs"
)


class Graph:
    """A graph taken apart at its last layer.

    Raises ArtifactError, which begins with `name`, for one that ends in another way.
    """

    def __init__(self, content: bytes, name: str) -> None:
        self._name = name
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}
        try:
            self._model = onnx.load_from_string(content)
            self._end = end_of(self._model)
            self.layer = self._read()
        # Whoever parses or runs a graph raises errors of its own, without a common base class.
        except Exception as error:
            raise self._unfit(str(error).splitlines()[0] if str(error) else repr(error)) from error

    @property
    def has_bias(self) -> bool:
        """Whether the last layer has a bias."""
        return bool(self._end.bias)

    def features(self, windows: NDArray[np.float32]) -> Numbers:
        """Return what the last layer takes (n, features), for windows (n, time, 3) in m/s²."""
        return self._asked(self._end.features, windows)

    def probabilities(self, windows: NDArray[np.float32]) -> Numbers:
        """Return the graph's own answers (n, activities)."""
        return self._asked(self._end.output, windows)

    def check(self, windows: NDArray[np.float32]) -> float:
        """Return how far `layer` is from the graph's answers; raises ArtifactError over 1e-5."""
        computed = self.layer.probabilities(self.features(windows))
        difference = float(np.abs(computed - self.probabilities(windows)).max())
        if not difference <= TOLERANCE:
            raise self._unfit(f"its end, computed anew, differs from it by {difference:.2g}")
        return difference

    def replaced(self, layer: LastLayer) -> Self:
        """Return the graph with the weights of `layer`."""
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        kernel = layer.kernel.T if self._end.transposed else layer.kernel
        for item in model.graph.initializer:
            if item.name in {self._end.kernel, self._end.bias}:
                weights = kernel if item.name == self._end.kernel else layer.bias
                kept = numpy_helper.to_array(item)
                new = weights.astype(kept.dtype).reshape(kept.shape)
                item.CopyFrom(numpy_helper.from_array(new, item.name))
        return type(self)(model.SerializeToString(deterministic=True), self._name)

    def content(self) -> bytes:
        """Return the graph as `model.onnx` holds it."""
        return bytes(self._model.SerializeToString(deterministic=True))

    def _unfit(self, why: str) -> ArtifactError:
        return ArtifactError(f"{self._name}: can't be adapted: {why}; {NEEDS}")

    def _read(self) -> LastLayer:
        end = self._end
        weights = {item.name: item for item in self._model.graph.initializer}
        kernel = numpy_helper.to_array(weights[end.kernel]).astype(np.float64)
        kernel = kernel.T if end.transposed else kernel
        count = kernel.shape[1]
        bias = np.zeros(count)
        if end.bias:
            bias = bias + numpy_helper.to_array(weights[end.bias]).reshape(-1)
        between = asker(self._part(end.terms, end.exponents))
        share = shares(asker(self._part(end.softmax, end.output)), count)
        return LastLayer(kernel, bias, *affine(between, count), share)

    def _part(self, start: str, end: str) -> onnx.ModelProto | None:
        return None if start == end else part(self._model, start, end)

    def _asked(self, value: str, windows: NDArray[np.float32]) -> Numbers:
        if value not in self._sessions:
            model = onnx.ModelProto()
            model.CopyFrom(self._model)
            del model.graph.output[:]
            model.graph.output.append(onnx.ValueInfoProto(name=value))
            self._sessions[value] = session(model)
        given = self._model.graph.input[0].name
        batches = (windows[at : at + BATCH] for at in range(0, len(windows), BATCH))
        asked = [self._sessions[value].run(None, {given: batch})[0] for batch in batches]
        return np.concatenate(asked).astype(np.float64)


Ask = Callable[[Numbers], Numbers]


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Return a model ready to run on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def asker(model: onnx.ModelProto | None) -> Ask:
    """Return a part of a graph as a function of rows (n, …); None means that it changes nothing."""
    if model is None:
        return lambda rows: rows
    running, given = session(model), model.graph.input[0].name
    return lambda rows: np.asarray(running.run(None, {given: rows.astype(np.float32)})[0], float)


def affine(ask: Ask, count: int) -> tuple[Numbers, Numbers]:
    """Read `mix` (count, count) and `shift` (count,) off a part. Raises ValueError."""
    shift = ask(np.zeros((1, count)))[0]
    mix = ask(np.eye(count)) - shift
    probes = np.random.default_rng(0).normal(0, 3, (PROBES, count))
    if not np.allclose(ask(probes), probes @ mix + shift, atol=1e-4):
        raise ValueError("there is more than scaling between its last layer and the softmax")
    return mix, shift


def shares(ask: Ask, count: int) -> Numbers:
    """Read off what each of the softmax's terms gives to each activity. Raises ValueError."""
    share = ask(np.eye(count))
    probes = np.random.default_rng(0).dirichlet(np.ones(count), PROBES)
    if share.min() < -TOLERANCE or not np.allclose(ask(probes), probes @ share, atol=TOLERANCE):
        raise ValueError("there is more than sums of terms behind the softmax")
    return np.maximum(share, 0.0)
