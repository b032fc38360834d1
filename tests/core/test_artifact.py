"""An artifact that is damaged, or disagrees with the configuration, is refused with both values."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from stream.config import Signal
from stream.errors import ArtifactError, ConfigError, InferenceError
from stream.model import artifact
from stream.model.artifact import Manifest
from stream.model.classifier import OnnxClassifier
from tests.core.streams import ACTIVITIES, SIGNAL


@pytest.fixture
def folder(toy_artifact: Path, tmp_path: Path) -> Path:
    """A copy of a small artifact, to be spoilt."""
    return Path(shutil.copytree(toy_artifact, tmp_path / "copy"))


def change(folder: Path, **fields: object) -> None:
    manifest = msgspec.json.decode((folder / artifact.MANIFEST).read_bytes())
    (folder / artifact.MANIFEST).write_bytes(msgspec.json.encode(manifest | fields))


def refused(folder: Path, signal: Signal = SIGNAL) -> str:
    with pytest.raises(ArtifactError) as error:
        OnnxClassifier(folder, signal)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(folder))
    assert isinstance(error.value, ConfigError)
    return str(error.value).removeprefix(f"{folder}/")


def test_a_good_artifact_answers(folder: Path) -> None:
    classifier = OnnxClassifier(folder, SIGNAL)
    assert classifier.manifest.activities == ACTIVITIES
    assert classifier.manifest.model == f"toy@{classifier.manifest.sha256[:8]}"
    windows = np.random.default_rng(0).normal(0, 5, (7, 200, 3)).astype(np.float32)
    probabilities = classifier.classify(windows)
    assert probabilities.shape == (7, 6)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(classifier.classify(windows[3:4])[0], probabilities[3], atol=1e-6)


def test_a_manifest_comes_back_as_it_was_written(folder: Path) -> None:
    manifest = artifact.load(folder)
    artifact.write(folder, manifest)
    assert artifact.load(folder) == manifest
    assert manifest.sha256 == artifact.sha256_of(folder / artifact.MODEL)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rate_hz": 50.0}, "rate_hz = 50.0, but signal.grid_hz = 20.0"),
        ({"window": 100}, "window = 100, but signal.window = 200"),
        ({"hop": 20}, "hop = 20, but signal.hop = 40"),
        ({"units": "g"}, "units = 'g', but the server's units = 'm/s2'"),
        ({"activities": []}, "activities = []: at least one is needed"),
        ({"activities": ["A", "A"]}, "activities = ['A', 'A']: at least one is needed, each once"),
        ({"activities": ["A", "Unknown"]}, "activities = ['A', 'Unknown']: "),
        ({"window": "200"}, "not a manifest: window: a whole number is needed, not text"),
        ({"extra": 1}, "not a manifest: extra is not known"),
    ],
)
def test_a_manifest_that_disagrees_names_both_values(
    folder: Path, fields: dict[str, object], message: str
) -> None:
    change(folder, **fields)
    assert refused(folder).startswith(f"manifest.json: {message}")


def test_a_configuration_that_disagrees_is_named_as_well(folder: Path) -> None:
    assert "window = 200, but signal.window = 100" in refused(folder, Signal(window=100))


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"{", b"\xff\xfe", b'{"name":' + b"[" * 100_000]
)
def test_a_corrupt_manifest(folder: Path, content: bytes) -> None:
    (folder / artifact.MANIFEST).write_bytes(content)
    assert refused(folder).startswith("manifest.json: not a manifest: ")


def test_a_changed_model(folder: Path) -> None:
    model = folder / artifact.MODEL
    model.write_bytes(model.read_bytes()[:-1] + b"\x00")
    assert refused(folder).startswith("model.onnx: SHA-256 is ")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x08\x09"])
def test_a_model_that_is_none_though_the_hash_is_right(folder: Path, content: bytes) -> None:
    (folder / artifact.MODEL).write_bytes(content)
    change(folder, sha256=artifact.sha256_of(folder / artifact.MODEL))
    assert refused(folder).startswith("model.onnx: cannot be run: ")


def test_a_model_with_other_outputs_than_the_manifest_says(folder: Path) -> None:
    change(folder, activities=["A", "B"])
    message = refused(folder)
    assert "output has shape (2, 6), (2, 2) is needed" in message


@pytest.mark.parametrize("name", [artifact.MODEL, artifact.MANIFEST])
def test_a_file_that_is_missing(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert refused(folder) == f"{name}: cannot be read: No such file or directory"


def test_a_runtime_that_fails_says_so(folder: Path) -> None:
    classifier = OnnxClassifier(folder, SIGNAL)
    with pytest.raises(InferenceError):
        classifier.classify(np.zeros((1, 7, 3), np.float32))


def test_what_ships_is_whole_small_and_agrees() -> None:
    manifest: Manifest = artifact.load(artifact.SHIPPED)
    artifact.agree(manifest, SIGNAL, artifact.SHIPPED)
    assert manifest.activities == ACTIVITIES
    assert (artifact.SHIPPED / artifact.MODEL).stat().st_size < 2_000_000


LOOK = """
import os, sys

class Looking:
    def find_spec(self, name, *_):
        if name == "onnxruntime":
            print(os.environ.get("ORT_DISABLE_TELEMETRY"))

sys.meta_path.insert(0, Looking())
"""


@pytest.mark.parametrize("module", ["stream.model.classifier", "trainer.personal.graph"])
def test_the_runtime_is_told_to_tell_nobody_before_it_is_loaded(module: str) -> None:
    plain = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-c", f"{LOOK}\nimport {module}"],
        env=plain,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1\n"
