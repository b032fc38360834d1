"""The artifact: a folder with `model.onnx` and the `manifest.json` that describes it."""

import hashlib
from pathlib import Path

import msgspec

from stream.config import Signal
from stream.errors import ArtifactError
from stream.events import UNKNOWN
from stream.malformed import MALFORMED, explain

MODEL = "model.onnx"
MANIFEST = "manifest.json"
SHIPPED = Path(__file__).parents[1] / "shipped"


class TrainingSet(msgspec.Struct, frozen=True):
    """Recordings that the model was trained on."""

    name: str
    subjects: tuple[str, ...]
    records: int
    files: dict[str, str]  # file name → SHA-256


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model takes and gives, where it comes from, and how good it was found to be."""

    name: str  # the recipe
    activities: tuple[str, ...]  # in the order of the model's outputs
    rate_hz: float
    window: int  # samples
    hop: int  # samples
    units: str  # of the windows that the graph takes
    sha256: str  # of model.onnx
    trained_on: tuple[TrainingSet, ...]
    split: dict[str, tuple[str, ...]]  # part → subjects
    metrics: dict[str, float]
    code_version: str
    created: str  # ISO date

    @property
    def model(self) -> str:
        """Name of the model in messages: recipe@hash."""
        return f"{self.name}@{self.sha256[:8]}"


def sha256_of(path: Path) -> str:
    """Hash a file; hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(folder: Path) -> Manifest:
    """Read and check the manifest of `folder`, and that the model is the one it describes.

    Raises ArtifactError, which names the file, the value and what is allowed.
    """
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        actual = sha256_of(folder / MODEL)
    except OSError as error:
        raise ArtifactError(f"{error.filename}: cannot be read: {error.strerror}") from error
    except MALFORMED as error:
        raise ArtifactError(f"{path}: not a manifest: {explain(error)}") from error
    _check_activities(manifest.activities, path)
    if actual != manifest.sha256:
        raise ArtifactError(
            f"{folder / MODEL}: SHA-256 is {actual[:16]}…, the manifest says "
            f"{manifest.sha256[:16]}…; the file is damaged or of another artifact"
        )
    return manifest


def _check_activities(activities: tuple[str, ...], path: Path) -> None:
    if not activities or len(set(activities)) < len(activities) or UNKNOWN in activities:
        raise ArtifactError(
            f"{path}: activities = {list(activities)}: at least one is needed, each once, and none "
            f"is {UNKNOWN!r}, which names what no activity explains"
        )


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest beside the model."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(text + b"\n")


def agree(manifest: Manifest, signal: Signal, folder: Path) -> None:
    """Raise ArtifactError where the manifest and the configured signal disagree."""
    pairs = [
        ("rate_hz", manifest.rate_hz, "signal.grid_hz", signal.grid_hz),
        ("window", manifest.window, "signal.window", signal.window),
        ("hop", manifest.hop, "signal.hop", signal.hop),
        ("units", manifest.units, "the server's units", "m/s2"),
    ]
    for key, trained, name, configured in pairs:
        if trained != configured:
            raise ArtifactError(
                f"{folder / MANIFEST}: {key} = {trained!r}, but {name} = {configured!r}; the model "
                "must see what it was trained on"
            )
