"""The classic network as contenders of `gaitway bench`: Keras, a TensorFlow graph, ONNX Runtime.

Its weights are random, which cost as much as trained ones.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stream.config import Signal
from stream.model.classifier import OnnxClassifier
from trainer.bench.timing import Contender, Windows
from trainer.manifest import Origin, Proof, write_artifact
from trainer.recipes.networks import classic, with_scaler
from trainer.recordings import ACTIVITIES
from trainer.runtime import prepare

NAME = "classic"
CENTER, SCALE = [0.5, 7.0, -1.0], [4.0, 6.0, 5.0]  # any do, they only have to be computed

Keras = Any  # Keras is untyped


def contenders(signal: Signal, proof: Windows, threads: int) -> tuple[Contender, list[Contender]]:
    """Return the classic in ONNX Runtime, then in what TensorFlow offers.

    `proof` are windows (n, time, 3) on which the exported graph must answer like the model.
    TensorFlow must not have run yet, or it keeps the threads that it has. Raises ExportError.
    """
    prepare(0, threads)
    model = with_scaler(classic(signal.window, len(ACTIVITIES)), CENTER, SCALE)
    exported = Contender(NAME, "ONNX Runtime", _exported(model, signal, proof, threads))
    function = Contender(NAME, "tf.function", _function(model, signal))
    predict = Contender(NAME, "model.predict", lambda windows: _predict(model, windows))
    return exported, [function, predict]


def _exported(
    model: Keras, signal: Signal, proof: Windows, threads: int
) -> Callable[[Windows], object]:
    """Export as a recipe does, and load as the server does."""
    expected = _predict(model, proof)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_artifact(folder, model, Proof(proof, expected), Origin(NAME, (), {}, {}), signal)
        return OnnxClassifier(folder, signal, threads).classify


def _function(model: Keras, signal: Signal) -> Callable[[Windows], object]:
    """Return the model as one TensorFlow graph, which takes batches of any size."""
    # Not at the top: `trainer.runtime` has to be the first that imports it.
    import tensorflow as tf  # noqa: PLC0415

    spec = tf.TensorSpec((None, signal.window, 3), tf.float32)
    graph = tf.function(lambda windows: model(windows, training=False), input_signature=[spec])
    concrete = graph.get_concrete_function()
    return lambda windows: concrete(tf.constant(windows)).numpy()


def _predict(model: Keras, windows: Windows) -> Windows:
    answers = model.predict(windows, batch_size=len(windows), verbose=0)
    return np.asarray(answers, np.float32)
