"""What many tests need: a small model, a service in this process, a real broker."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import stamina
from onnx import TensorProto, helper, numpy_helper

from stream import service
from stream.config import Auth, Config, Journal, Model, Server
from stream.model import artifact
from stream.model.artifact import Manifest
from stream.service import Service
from tests.shell.access import Keys, asking

ACTIVITIES = ("Downstairs", "Jogging", "Sitting", "Standing", "Upstairs", "Walking")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run tests that take minutes")
    parser.addoption(
        "--seed", type=int, default=0, help="of the moments and streams of tests/faults"
    )
    parser.addoption("--phones", type=int, default=200, help="of the long run of tests/faults")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        skip = pytest.mark.skip(reason="takes minutes: run with --slow")
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(skip)


def write_toy_artifact(
    folder: Path, seed: int = 0, activities: tuple[str, ...] = ACTIVITIES
) -> Path:
    """Write a model that is quick and answers each window differently: softmax(mean, max).

    Those of another `seed` answer differently.
    """
    weights = np.random.default_rng(seed).normal(0, 0.5, (6, 6)).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["windows", "axes"], ["mean"], keepdims=0),
        helper.make_node("ReduceMax", ["windows", "axes"], ["max"], keepdims=0),
        helper.make_node("Concat", ["mean", "max"], ["features"], axis=1),
        helper.make_node("MatMul", ["features", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("windows", TensorProto.FLOAT, ["batch", 200, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 6])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([1], np.int64), "axes"),
        ],
    )
    opset = helper.make_opsetid("", 18)
    folder.mkdir(parents=True)
    onnx.save(
        helper.make_model(graph, opset_imports=[opset], ir_version=9), folder / artifact.MODEL
    )
    artifact.write(folder, toy_manifest(folder, activities))
    return folder


def toy_manifest(folder: Path, activities: tuple[str, ...] = ACTIVITIES) -> Manifest:
    return Manifest(
        name="toy",
        activities=activities,
        rate_hz=20.0,
        window=200,
        hop=40,
        units="m/s2",
        sha256=artifact.sha256_of(folder / artifact.MODEL),
        trained_on=(),
        split={},
        metrics={},
        code_version="0",
        created="2026-11-22",
    )


@pytest.fixture(scope="session")
def toy_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_artifact(tmp_path_factory.mktemp("artifact") / "toy")


@pytest.fixture
def config(toy_artifact: Path, tmp_path: Path) -> Config:
    """Settings of a service on a port of the system's choice, with the small model."""
    return Config(
        server=Server(port=0),
        model=Model(artifact=str(toy_artifact)),
        journal=Journal(path="", commit_ms=1),
        auth=Auth(tokens=str(tmp_path / "own-tokens.json")),  # whatever the working directory holds
    )


@pytest.fixture
async def running(config: Config) -> AsyncIterator[Service]:
    async with service.running(config) as running:
        yield running


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Tokens of every kind, in a file."""
    return Keys(tmp_path / "tokens.json")


@pytest.fixture
async def guarded(config: Config, keys: Keys) -> AsyncIterator[Service]:
    """A service that asks for them."""
    async with asking(config, keys.path) as running:
        yield running


# Else, started by root, it becomes a user of its own, who can't use our files.
ROOT = "\nuser root\n" if os.geteuid() == 0 else ""
OPEN = "allow_anonymous true\npersistence true\nmax_queued_messages 0"


class Broker:
    """A real Mosquitto on a port of its own, which a test may kill and start again."""

    def __init__(self, folder: Path, settings: str = OPEN) -> None:
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._folder = folder
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, state: str = "mosquitto") -> None:
        """Start it on the state kept under that name; return once it listens."""
        folder = self._folder / state
        folder.mkdir(exist_ok=True)
        file = folder / "mosquitto.conf"
        file.write_text(self.words(folder) + ROOT)
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self._process = subprocess.Popen([program, "-c", str(file)])
        # A broker says nowhere that it listens, so it is asked until it does.
        for attempt in stamina.retry_context(on=OSError, wait_initial=0.02, wait_jitter=0.02):
            with attempt:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()

    def words(self, folder: Path) -> str:
        """Return its settings, with its state in `folder`."""
        listener = f"listener {self.port} 127.0.0.1\nlog_dest none\n"
        return f"{listener}persistence_location {folder}/\n{self._settings}\n"

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self) -> None:
        """Let it end in order, and keep its state."""
        self.signal(signal.SIGTERM)
        if self._process is not None:
            self._process.wait()

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture(scope="session")
def mosquitto() -> None:
    """Skip where there is no broker to run."""
    if not (shutil.which("mosquitto") or Path("/usr/sbin/mosquitto").exists()):
        pytest.skip("mosquitto is not installed (scripts/test installs it where it may)")


@pytest.fixture
def mortal_broker(mosquitto: None, tmp_path: Path) -> Iterator[Broker]:
    """A broker of this test's own, running, that the test may kill."""
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def broker(mortal_broker: Broker) -> str:
    """The URL of a broker of this test's own."""
    return mortal_broker.url
