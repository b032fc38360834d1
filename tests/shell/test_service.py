"""The program as an operator runs it: starting, stopping, and saying what is wrong in one line."""

import asyncio
import json
import re
import signal
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from stream import __version__, service
from stream.config import Config
from stream.service import Service
from tests.conftest import write_toy_artifact

GAITWAY = str(Path(sys.executable).parent / "gaitway")


@asynccontextmanager
async def serving(*options: str) -> AsyncIterator[tuple[Process, str]]:
    """Run `gaitway serve` as a process of its own; yield it and its address."""
    process = await asyncio.create_subprocess_exec(
        GAITWAY, "serve", "--port", "0", "--journal", "", *options, stdout=PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            while not (found := re.search(rb"wss?://(\S+?)/", await process.stdout.readline())):
                pass
        yield process, found[1].decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def run(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(GAITWAY, *arguments, stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def _maps_tensorflow(pid: int) -> bool:
    maps = Path(f"/proc/{pid}/maps")  # not on macOS
    return maps.exists() and "tensorflow" in maps.read_text(errors="ignore")


async def test_serves_the_shipped_model_and_stops_in_order(tmp_path: Path) -> None:
    async with serving() as (process, address), httpx.AsyncClient() as client:
        ready = (await client.get(f"http://{address}/readyz")).json()
        assert ready["ready"]
        assert ready["model"].startswith("pocket@")
        assert not _maps_tensorflow(process.pid)
        async with connect(f"ws://{address}/v1/stream?device=a") as phone:
            await phone.recv()
            process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                await phone.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code in {1001, 1012}
        async with asyncio.timeout(5):
            assert await process.wait() == 0


async def test_what_was_acked_is_answered_before_a_stop(toy_artifact: Path) -> None:
    async with serving("--artifact", str(toy_artifact)) as (process, address):
        async with connect(f"ws://{address}/v1/stream?device=a") as phone:
            await phone.recv()
            frame = {"seq": 0, "xyz": [[0.0, 9.8, 0.1 * i] for i in range(400)]}
            await phone.send(json.dumps(frame))
            heard = [json.loads(await phone.recv())["type"]]
            process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed):
                async with asyncio.timeout(5):
                    await _collect(phone, heard)
        assert heard.count("prediction") == 6


class Gate:
    """A model that answers once it is told to."""

    def __init__(self) -> None:
        self.asked, self.open = threading.Event(), threading.Event()

    def classify(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        self.asked.set()
        assert self.open.wait(30)
        return np.full((len(windows), 6), 1 / 6, np.float32)


async def test_a_stop_lets_nobody_new_in(config: Config) -> None:
    gate, stop = Gate(), asyncio.Event()
    port = asyncio.get_running_loop().create_future()

    async def serve() -> None:
        async with service.running(config, gate) as running:
            port.set_result(running.port)
            await stop.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve())
        url = f"ws://127.0.0.1:{await port}/v1/stream?device="
        async with connect(f"{url}a") as phone:
            heard = [json.loads(await phone.recv())["type"]]
            await phone.send(json.dumps({"seq": 0, "xyz": [[0.0, 9.8, 0.1]] * 200}))
            await asyncio.to_thread(gate.asked.wait, 30)
            stop.set()
            await asyncio.sleep(0)  # the stop has begun, and waits for the model
            with pytest.raises(ConnectionRefusedError):
                await connect(f"{url}b")
            gate.open.set()
            with pytest.raises(ConnectionClosed):
                await _collect(phone, heard)
    assert "prediction" in heard


async def _collect(phone: object, heard: list[str]) -> None:
    while True:
        heard.append(json.loads(await phone.recv())["type"])  # type: ignore[attr-defined]


async def test_artifact_prints_its_folder() -> None:
    code, out, _ = await run("artifact")
    assert code == 0
    assert (Path(out.strip()) / "model.onnx").stat().st_size < 2_000_000


async def test_the_version_is_printed() -> None:
    code, out, _ = await run("--version")
    assert (code, out) == (0, f"gaitway {__version__}\n")


BAD_CONFIGS = [
    ("[server", "is not TOML"),
    ("[server]\nport = 99999", "server.port = 99999"),
    ("[server]\nprot = 1", "server.prot = 1"),
    ("[servers]", "servers"),
    ('[batcher]\nmax_batch = "many"', "batcher.max_batch = 'many'"),
    ("[signal]\nhop = 300", "signal.hop = 300"),
    ("[signal]\ngrid_hz = 25.0", "rate_hz = 20.0, but signal.grid_hz = 25.0"),
    ('[model]\nartifact = "/nowhere"', "/nowhere/manifest.json"),
    ('[devices.p-7]\nartifact = "/nowhere"', "devices.p-7.artifact: /nowhere/manifest.json"),
    ('[devices."p 7"]\nartifact = "x"', "devices.p 7 = {'artifact': 'x'}: a device's id is"),
    ('[mqtt]\nurl = "http://broker"', "mqtt.url = 'http://broker': mqtt://user@host:1883 or"),
    ('[devices.a]\naxes = "up"', "devices.a.axes = 'up': android or ios is allowed"),
    ('[server]\nhost = "0.0.0.0"', "server.host = '0.0.0.0' lets other machines in: anyone"),
    ('[limits]\nexempt = ["x"]', "limits.exempt = 'x'"),
    ('[auth]\norigins = ["example.org"]', "auth.origins"),
    ('[auth]\ntokens = "/dev/null"', "/dev/null: is no file of tokens"),
    ('[mqtt]\nurl = "mqtt://me:word@b"', "mqtt.url = 'mqtt://me:…@b': mqtt://user@host:1883 or"),
    ('[server]\ncert = "/c"', "server.cert = '/c', server.key = '': both files are needed, or"),
    ('[server]\ncert = "/c"\nkey = "/k"', "server.cert = '/c': cannot be read: No such file"),
]


@pytest.mark.parametrize(("text", "words"), BAD_CONFIGS)
async def test_a_bad_config_is_one_line_and_exit_code_2(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    code, _, err = await run("serve", "--config", str(path))
    assert code == 2
    assert len(err.splitlines()) == 1
    assert words in err


@pytest.mark.parametrize("damage", ["flip", "truncate", "no-json", "no-model"])
async def test_a_damaged_artifact_is_one_line_and_exit_code_2(tmp_path: Path, damage: str) -> None:
    folder = write_toy_artifact(tmp_path / "toy")
    model, manifest = folder / "model.onnx", folder / "manifest.json"
    match damage:
        case "flip":
            model.write_bytes(model.read_bytes()[:-1] + b"\xff")
        case "truncate":
            model.write_bytes(model.read_bytes()[:100])
        case "no-json":
            manifest.write_text("{")
        case "no-model":
            model.unlink()
    code, _, err = await run("serve", "--artifact", str(folder), "--port", "0")
    assert code == 2
    assert len(err.splitlines()) == 1
    assert str(folder) in err


async def test_others_are_let_in_where_the_operator_wants_it_so(toy_artifact: Path) -> None:
    options = ("--host", "0.0.0.0", "--insecure", "--artifact", str(toy_artifact))  # noqa: S104
    async with serving(*options) as (_, address), httpx.AsyncClient() as client:
        assert (await client.get(f"http://{address}/v1/devices")).status_code == 200


async def test_a_taken_port_says_what_to_do(running: Service) -> None:
    code, _, err = await run("serve", "--port", str(running.port), "--journal", "")
    assert code == 2
    assert "--port" in err
    assert len(err.splitlines()) == 1
