"""Models of single devices: theirs answers for them alone, and one that fails harms nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from websockets.asyncio.client import connect

from stream import service
from stream.config import Batcher, Config, Device, Signal
from stream.errors import ArtifactError
from stream.events import Message, Prediction
from stream.model import artifact, models
from stream.model.classifier import OnnxClassifier
from stream.service import Service
from stream.signal.resample import Resampler
from stream.signal.window import Windower
from tests.conftest import ACTIVITIES, toy_manifest, write_toy_artifact

SAMPLES = np.random.default_rng(4).normal(3, 3, (400, 3)).astype(np.float32)


def with_personal(settings: Config, **folders: Path) -> Config:
    """Give devices artifacts of their own."""
    devices = {name: Device(artifact=str(folder)) for name, folder in folders.items()}
    return msgspec.structs.replace(settings, devices=devices)


@asynccontextmanager
async def serving(
    settings: Config, **folders: Path
) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    async with (
        service.running(with_personal(settings, **folders)) as running,
        httpx.AsyncClient(base_url=running.http_url) as client,
    ):
        yield running, client


async def post(client: httpx.AsyncClient, device: str) -> None:
    frame = json.dumps({"seq": 0, "xyz": SAMPLES.tolist()})
    answer = await client.post(f"/v1/frames?device={device}&session=s", content=frame)
    assert answer.status_code == 200, answer.text


async def predictions(client: httpx.AsyncClient, device: str) -> list[dict[str, Any]]:
    page = await client.get(f"/v1/events?device={device}&type=prediction")
    found: list[dict[str, Any]] = page.json()["events"]
    return found


def offline(folder: Path) -> tuple[str, NDArray[np.float32]]:
    """Return the model's name, and its probabilities (n, 6) for the windows of SAMPLES."""
    classifier = OnnxClassifier(folder, Signal())
    stretches = Resampler(Signal()).feed_on_grid(SAMPLES)
    windower = Windower(Signal())
    windows = [window.xyz for stretch in stretches for window in windower.feed(stretch)]
    return classifier.manifest.model, classifier.classify(np.stack(windows))


def write_failing_artifact(folder: Path) -> Path:
    """Write a model that answers for windows of zeros, and fails on all others."""
    write_toy_artifact(folder)
    model = onnx.load(folder / artifact.MODEL)
    nodes = [
        helper.make_node("ReduceMax", ["windows"], ["greatest"], keepdims=0),
        helper.make_node("Ceil", ["greatest"], ["whole"]),
        helper.make_node("Cast", ["whole"], ["place"], to=TensorProto.INT64),
        helper.make_node("Gather", ["axes", "place"], ["the_axes"]),  # has a single one, at 0
        helper.make_node("Reshape", ["the_axes", "axes"], ["axes_again"]),
    ]
    for node in model.graph.node:
        node.input[:] = ["axes_again" if name == "axes" else name for name in node.input]
    given = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *given])
    onnx.save(model, folder / artifact.MODEL)
    manifest = msgspec.structs.replace(toy_manifest(folder), name="failing")
    artifact.write(folder, manifest)
    return folder


async def test_each_device_is_answered_by_its_model(
    config: Config, toy_artifact: Path, tmp_path: Path
) -> None:
    own = write_toy_artifact(tmp_path / "own", seed=1)
    async with serving(config, a=own) as (running, client):
        for device in ("a", "b"):
            await post(client, device)
        await running.hub.models.drained()
        told = {device: await predictions(client, device) for device in ("a", "b")}
    for device, folder in (("a", own), ("b", toy_artifact)):
        name, expected = offline(folder)
        assert {prediction["model"] for prediction in told[device]} == {name}
        answered = [list(prediction["probabilities"].values()) for prediction in told[device]]
        np.testing.assert_allclose(answered, expected, atol=1e-6)
    assert told["a"][0]["model"] != told["b"][0]["model"]


async def test_welcome_names_the_personal_model(config: Config, tmp_path: Path) -> None:
    own = write_toy_artifact(tmp_path / "own", seed=1)
    async with serving(config, a=own) as (running, _):
        names = {}
        for device in ("a", "b"):
            async with connect(f"{running.ws_url}/v1/stream?device={device}") as phone:
                names[device] = json.loads(await phone.recv())["model"]
        assert names["a"] == artifact.load(own).model
        assert names["b"] == running.hub.models.shared.name != names["a"]


async def test_a_failing_personal_model_is_named_and_harms_nobody_else(
    config: Config, tmp_path: Path
) -> None:
    failing = write_failing_artifact(tmp_path / "failing")
    async with serving(config, a=failing) as (running, client):
        assert (await client.get("/readyz")).json()["failing"] == {}
        await post(client, "a")
        await post(client, "b")
        async with asyncio.timeout(10):
            await running.hub.models.drained()
        assert await predictions(client, "a") == []
        assert len(await predictions(client, "b")) == 6
        ready = await client.get("/readyz")
        name = artifact.load(failing).model
        assert name.startswith("failing@")
        assert (ready.status_code, list(ready.json()["failing"])) == (200, [name])
        assert ready.json()["problem"] == ready.json()["failing"][name]
        assert ready.json()["model"] == running.hub.models.shared.name != name


async def test_a_stop_answers_what_waits_for_personal_models(
    config: Config, tmp_path: Path
) -> None:
    patient = msgspec.structs.replace(config, batcher=Batcher(max_wait_ms=300))
    async with serving(patient, a=write_toy_artifact(tmp_path / "own", seed=1)) as (
        running,
        client,
    ):
        heard: list[Message] = []
        running.hub.publisher.add_sink(lambda _device, message, _channel: heard.append(message))
        await post(client, "a")
        assert running.hub.models.waiting == 6
    assert sum(isinstance(message, Prediction) for message in heard) == 6


def test_devices_with_the_same_folder_share_one_batcher(
    config: Config, toy_artifact: Path, tmp_path: Path
) -> None:
    own = write_toy_artifact(tmp_path / "own", seed=1)
    around = own.parent / "elsewhere" / ".." / "own"
    (own.parent / "elsewhere").mkdir()
    loaded = models.load(with_personal(config, a=own, b=around, c=toy_artifact))
    assert loaded.of("a") is loaded.of("b") is not loaded.shared
    assert loaded.of("c") is loaded.of("nobody") is loaded.shared
    assert list(loaded) == [loaded.shared, loaded.of("a")]


def test_a_device_without_an_artifact_has_the_shared_one(config: Config) -> None:
    loaded = models.load(msgspec.structs.replace(config, devices={"a": Device()}))
    assert loaded.of("a") is loaded.shared
    assert loaded.personal == {}


def refused(settings: Config, own: Path) -> str:
    with pytest.raises(ArtifactError) as error:
        models.load(with_personal(settings, **{"pixel-7": own}))
    message = str(error.value)
    assert message.startswith(f"devices.pixel-7.artifact: {own}/manifest.json: ")
    assert "\n" not in message
    return message.partition("manifest.json: ")[2]


def test_other_activities_are_refused_with_both(config: Config, tmp_path: Path) -> None:
    turned = ACTIVITIES[::-1]
    message = refused(config, write_toy_artifact(tmp_path / "own", activities=turned))
    assert str(list(turned)) in message
    assert f"toy@{artifact.load(Path(config.model.artifact)).sha256[:8]}" in message
    assert str(list(ACTIVITIES)) in message


def test_another_grid_is_refused_with_both_values(config: Config, tmp_path: Path) -> None:
    own = write_toy_artifact(tmp_path / "own")
    artifact.write(own, msgspec.structs.replace(artifact.load(own), hop=20))
    assert refused(config, own).startswith("hop = 20, but signal.hop = 40")


def test_a_missing_folder_is_refused(config: Config, tmp_path: Path) -> None:
    assert refused(config, tmp_path / "nowhere") == "cannot be read: No such file or directory"
