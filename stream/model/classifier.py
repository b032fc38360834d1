"""The model: windows in, probabilities out. ONNX Runtime lives here and nowhere else."""

import os
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from stream.config import Signal
from stream.errors import ArtifactError, InferenceError
from stream.model import artifact
from stream.model.artifact import Manifest

ort.set_default_logger_severity(3)  # errors only; warnings are about its own optimiser


class Classifier(Protocol):
    """Anything that answers for windows; it has no memory."""

    def classify(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map (batch, window, 3) in m/s² to probabilities (batch, classes)."""


class OnnxClassifier:
    """An artifact, loaded and checked against the configured signal.

    Raises ArtifactError if the folder is damaged or disagrees with `signal`.
    """

    def __init__(self, folder: Path, signal: Signal, threads: int = 1) -> None:
        self.manifest: Manifest = artifact.load(folder)
        artifact.agree(self.manifest, signal, folder)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        path = folder / artifact.MODEL
        try:
            self._session = ort.InferenceSession(
                os.fspath(path), options, providers=["CPUExecutionProvider"]
            )
            self._input = self._session.get_inputs()[0].name
            self._check(np.zeros((2, signal.window, 3), np.float32))
        # ONNX Runtime's own errors share no base class but Exception.
        except Exception as error:
            raise ArtifactError(f"{path}: cannot be run: {_first_line(error)}") from error

    def classify(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map (batch, window, 3) in m/s² to probabilities (batch, classes).

        Raises InferenceError if the runtime fails.
        """
        try:
            (probabilities,) = self._session.run(None, {self._input: windows})
        except Exception as error:  # as above
            raise InferenceError(_first_line(error)) from error
        return np.asarray(probabilities, np.float32)

    def _check(self, windows: NDArray[np.float32]) -> None:
        got, wanted = self.classify(windows).shape, (len(windows), len(self.manifest.activities))
        if got != wanted:
            raise ArtifactError(f"output has shape {got}, {wanted} is needed for the activities")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
