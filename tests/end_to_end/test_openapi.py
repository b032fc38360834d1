"""docs/openapi.yaml says what HTTP answers, held against a real service by schemathesis."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml
from starlette.routing import Route

from stream.config import Config
from stream.doors import http
from stream.service import Service

FILE = Path(__file__).parents[2] / "docs" / "openapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text())
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
# What a schema can't say is refused, too: as many times as samples are needed, say.
BEYOND_SCHEMAS = "positive_data_acceptance"
QUICK = "coverage"  # each limit of each parameter, and what is just beyond
ALL = f"examples,{QUICK},fuzzing"  # and what is made up at random


async def stream_a_while(running: Service, device: str) -> None:
    """Let there be a device, predictions and events to ask for."""
    xyz = np.random.default_rng(0).normal([0, 0, 9.8], 0.5, (1200, 3))
    async with httpx.AsyncClient(base_url=running.http_url) as client:
        for seq in range(len(xyz) // 40):
            frame = {"seq": seq, "xyz": xyz[40 * seq : 40 * seq + 40].tolist()}
            (await client.post(f"/v1/frames?device={device}", json=frame)).raise_for_status()
    await running.hub.models.drained()


async def hold(
    url: str, folder: Path, document: Path, examples: int, phases: str = QUICK
) -> tuple[int | None, str]:
    """Make up requests by the document; return how that ended, and what was said."""
    options = ["--max-examples", str(examples), "--seed", "1", "--no-shrink", "-c", "all"]
    judging = await asyncio.create_subprocess_exec(
        *(str(SCHEMATHESIS), "run", str(document), "--url", url, *options),
        *("--exclude-checks", BEYOND_SCHEMAS, "--continue-on-failure", "--phases", phases),
        stdout=PIPE,
        stderr=STDOUT,
        cwd=folder,
    )
    said, _ = await judging.communicate()
    return judging.returncode, said.decode()


async def test_answers_are_as_documented(running: Service, tmp_path: Path) -> None:
    await stream_a_while(running, "pixel-7")
    code, said = await hold(running.http_url, tmp_path, FILE, 1)
    assert code == 0, said
    assert int(re.findall(r"(\d+) generated", said)[0]) > 300


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_answers_are_as_documented_at_length(running: Service, tmp_path: Path) -> None:
    await stream_a_while(running, "pixel-7")
    code, said = await hold(running.http_url, tmp_path, FILE, 100, ALL)
    assert code == 0, said


async def test_a_wrong_document_would_be_found(running: Service, tmp_path: Path) -> None:
    content = {"application/json": {"schema": {"required": ["phones"]}}}
    paths = {
        "/v1/devices": {"get": {"responses": {"200": {"description": "", "content": content}}}}
    }
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(yaml.safe_dump({"openapi": "3.1.0", "info": DOCUMENT["info"], "paths": paths}))
    code, said = await hold(running.http_url, tmp_path, wrong, 1)
    assert code == 1
    assert "phones" in said


def test_every_route_is_documented(config: Config) -> None:
    nobody: Any = None  # is asked while routes are only listed
    app = http.app(config, nobody, nobody, str)
    found = {
        route.path: (route.methods or set()) - {"HEAD", "OPTIONS"}
        for route in app.routes
        if isinstance(route, Route)
    }
    said = {path: {method.upper() for method in at} for path, at in DOCUMENT["paths"].items()}
    assert found == said
