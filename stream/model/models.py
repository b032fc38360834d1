"""The models that answer: one for everybody, and of their own for the devices that have one.

Each has a batcher, so that one that fails harms no other, and one that falls behind holds up
nobody who has a connection of their own; frames by MQTT come in one row, and wait for it.
"""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

from stream.config import Config
from stream.errors import ArtifactError, InferenceError
from stream.model import artifact
from stream.model.artifact import Manifest
from stream.model.batcher import Batcher
from stream.model.classifier import Classifier, OnnxClassifier
from stream.session import SessionOptions


class Model:
    """A model at work: what its sessions share, and where their windows are answered."""

    def __init__(self, options: SessionOptions, batcher: Batcher) -> None:
        self.options = options
        self.batcher = batcher

    @property
    def name(self) -> str:
        """What predictions call it, as in `pocket@da4be887`."""
        return self.options.model


class Models:
    """Answers which model is whose; iterating gives each once, the shared one first."""

    def __init__(self, shared: Model, personal: Mapping[str, Model] | None = None) -> None:
        self.shared = shared
        self.personal = dict(personal or {})  # by device
        self._distinct = tuple(dict.fromkeys([shared, *self.personal.values()]))

    def __iter__(self) -> Iterator[Model]:
        return iter(self._distinct)

    def of(self, device: str) -> Model:
        """Return the model that answers for a device."""
        return self.personal.get(device, self.shared)

    @property
    def waiting(self) -> int:
        """How many windows wait for any of the models."""
        return sum(len(model.batcher) for model in self)

    @property
    def failures(self) -> dict[str, InferenceError]:
        """Why models fail, by name; empty while all answer."""
        found = [(model.name, model.batcher.failure) for model in self]
        return {name: failure for name, failure in found if failure is not None}

    async def run(self) -> None:
        """Answer windows until cancelled; then the rest are told."""
        async with asyncio.TaskGroup() as tasks:
            for model in self:
                tasks.create_task(model.batcher.run(), name=f"batcher of {model.name}")

    async def drained(self) -> None:
        """Wait until every submitted window has been answered."""
        for model in self:
            await model.batcher.drained()


def load(config: Config, classifier: Classifier | None = None) -> Models:
    """Load every artifact that `config` names, each folder once.

    `classifier`, if there is one, answers in place of the shared artifact. Raises ArtifactError,
    which names the device, where a folder is damaged, or disagrees with the settings or with the
    shared model.
    """
    folder = shared_folder(config)
    manifest, shared = _model(config, folder, classifier)
    known = {folder.resolve(): shared}
    personal: dict[str, Model] = {}
    for device, options in config.devices.items():
        if not options.artifact:
            continue
        own = Path(options.artifact)
        if own.resolve() not in known:
            known[own.resolve()] = _personal(config, own, device, manifest)
        personal[device] = known[own.resolve()]
    return Models(shared, personal)


def shared_folder(config: Config) -> Path:
    """Return the folder of the model for everybody: the configured one, or the one that ships."""
    return Path(config.model.artifact) if config.model.artifact else artifact.SHIPPED


def _personal(config: Config, folder: Path, device: str, shared: Manifest) -> Model:
    try:
        manifest, model = _model(config, folder)
    except ArtifactError as error:
        raise ArtifactError(f"devices.{device}.artifact: {error}") from error
    if manifest.activities != shared.activities:
        raise ArtifactError(
            f"devices.{device}.artifact: {folder / artifact.MANIFEST}: activities = "
            f"{list(manifest.activities)}, but the shared model {shared.model} has "
            f"{list(shared.activities)}; both must have the same, in the same order"
        )
    return model


def _model(
    config: Config, folder: Path, classifier: Classifier | None = None
) -> tuple[Manifest, Model]:
    loaded = OnnxClassifier(folder, config.signal, config.model.threads)
    options = SessionOptions(
        activities=loaded.manifest.activities,
        model=loaded.manifest.model,
        signal=config.signal,
        tracker=config.tracker,
        expires_s=config.hub.expires_s,
    )
    return loaded.manifest, Model(options, Batcher(classifier or loaded, config.batcher))
