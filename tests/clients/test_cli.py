"""The commands as a user types them, against a server that runs."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clients.cli import app
from clients.phone import Phone
from stream.service import Service
from tests.clients.made import write_wisdm
from tests.conftest import free_port

HEAVY = ("tensorflow", "keras", "sklearn", "scipy", "matplotlib", "onnx", "joblib")
MAIN = (
    f"import sys; sys.modules.update(dict.fromkeys({HEAVY!r}))\n"  # they can't be imported
    "from stream.cli import main; main()"
)


async def gaitway(*arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "120"}
    if home is not None:
        environment |= {"HOME": str(home), "GAITWAY_DATA": str(home)}
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "error", "-c", MAIN, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )


async def test_replay_ends_with_a_table(running: Service, tmp_path: Path) -> None:
    path = write_wisdm(tmp_path / "WISDM_ar_v1.1_raw.txt", users=("33", "17"))
    done = await gaitway(
        "replay", str(path), "--user", "33", "--to", running.ws_url, "--speed", "max"
    )
    assert done.returncode == 0, done.stderr
    row = done.stdout.splitlines()[1].split()
    assert row[:3] == ["wisdm-v1.1-33", "1,100", "55"]
    assert "17" not in done.stdout.split()


async def test_a_replay_can_be_shortened(running: Service, tmp_path: Path) -> None:
    path = write_wisdm(tmp_path / "WISDM_ar_v1.1_raw.txt", users=("33",))
    options = ("--seconds", "12", "--untimed", "--json", "--speed", "max")
    done = await gaitway("replay", str(path), "--to", running.ws_url, *options)
    assert done.stdout.splitlines()[1].split()[:4] == ["wisdm-v1.1-33", "240", "12", "2"]


async def test_watch_prints_plain_lines_where_there_is_no_terminal(running: Service) -> None:
    watching = asyncio.create_task(gaitway("watch", running.ws_url, "--seconds", "2"))
    number = 0
    while not watching.done():
        async with Phone(running.ws_url, f"pixel-{number}"):
            number += 1
        await asyncio.wait([watching], timeout=0.1)
    done = await watching
    assert done.returncode == 0, done.stderr
    assert any(line.split()[1:] == ["online"] for line in done.stdout.splitlines())


async def test_watch_tells_of_a_server_that_is_killed_and_comes_back(toy_artifact: Path) -> None:
    url = f"ws://127.0.0.1:{free_port()}"
    port = url.rpartition(":")[2]
    serve = ("serve", "--port", port, "--artifact", str(toy_artifact), "--journal", "")
    async with asyncio.timeout(60), spawned(*serve) as server:
        assert "gaitway" in await line(server)
        async with spawned("watch", url) as watching:
            await watched(url, watching)
            server.kill()
            assert await line(watching, f"connection to {url} lost, reconnecting")
            async with spawned(*serve):
                assert await line(watching, f"connected to {url} again")


async def watched(url: str, watching: Process) -> None:
    """Let phones come and go until the listener tells of one."""
    heard = asyncio.create_task(line(watching, "online"))
    number = 0
    while not heard.done():
        async with Phone(url, f"pixel-{number}"):
            number += 1
        await asyncio.wait([heard], timeout=0.1)


async def line(process: Process, words: str = "") -> str:
    """Read on to the first line with `words`; returns nothing where there is none."""
    assert process.stdout is not None
    while (text := (await process.stdout.readline()).decode()) and words not in text:
        pass
    return text


@asynccontextmanager
async def spawned(*arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", MAIN, *arguments, stdout=PIPE
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("length", [("--seconds", "2"), ("--minutes", "0.033")])
async def test_load_writes_a_report(
    running: Service, tmp_path: Path, length: tuple[str, str]
) -> None:
    path = tmp_path / "report.json"
    done = await gaitway(
        "load", "--phones", "5", *length, "--to", running.ws_url, "--report", str(path)
    )
    assert done.returncode == 0, done.stderr
    assert "every window came exactly once" in done.stdout
    report = json.loads(path.read_text())
    assert (report["phones"], report["frames"], report["missing"]) == (5, 10, 0)
    assert report["server"]["pid"] == os.getpid()


async def test_the_demo_runs_with_nothing_but_the_package(tmp_path: Path) -> None:
    done = await gaitway("demo", "--seconds", "4", home=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("server   ws://127.0.0.1:")
    assert lines[1] == "playing  4 made-up walkers, 10 times as fast"
    assert "no recordings were found" in lines[2]
    for name in ("anna", "ben", "chloe", "david"):
        assert any(name in line and " → " in line for line in lines[3:])
    assert not done.stderr


async def test_the_demo_plays_recordings_that_are_there(tmp_path: Path) -> None:
    write_wisdm(tmp_path / "WISDM_ar_v1.1_raw.txt", users=("33",))
    done = await gaitway("demo", "--seconds", "3", home=tmp_path)
    assert "playing  recordings of 1 people (wisdm-v1.1), 10 times as fast" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["watch", "http://h"], "ws, wss, mqtt or mqtts is allowed"),
        (["watch", "ws://127.0.0.1:{port}"], "start one with `gaitway serve`"),
        (["replay", "/nowhere"], "/nowhere: no such file or folder"),
        (["replay", "/", "--speed", "0"], "a number above 0, or max, is allowed"),
        (["load", "--to", "mqtt://h"], "load speaks ws:// and wss:// only"),
        (["load", "--to", "http://h"], "load speaks ws:// and wss:// only"),
        (["load", "--phones", "2", "--to", "ws://127.0.0.1:{port}"], "nobody answers"),
        (["load", "--phones", "99999999"], "open files are needed"),
        (["demo", "--port", "{taken}"], "cannot listen"),
    ],
)
async def test_what_is_wrong_is_one_line_and_exit_code_2(arguments: list[str], words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ports = {"port": free_port(), "taken": listening.getsockname()[1]}
        done = await gaitway(*[argument.format(**ports) for argument in arguments])
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("gaitway: error: ")
    assert words in done.stderr


@pytest.mark.parametrize("command", ["replay", "watch", "load", "demo"])
def test_help_teaches_by_examples(command: str) -> None:
    help_text = CliRunner().invoke(app, [command, "--help"]).output
    assert f"gaitway {command}" in help_text
