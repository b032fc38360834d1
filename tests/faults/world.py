"""A server that is killed and started again, and what an unbroken run would have said."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import numpy as np
import pytest
import stamina
from numpy.typing import NDArray

from clients import Phone
from stream.artifact import SHIPPED
from stream.classifier import OnnxClassifier
from stream.config import Signal
from stream.events import Ended, Prediction, Started
from stream.session import Session, SessionOptions
from stream.wire import Frame
from tests.conftest import free_port

GAITWAY = str(Path(sys.executable).parent / "gaitway")
UNEQUAL = ("time", "latency_ms")  # need not be those of an unbroken run


class Server:
    """`gaitway serve` as a process of its own, on one port and one journal for good."""

    def __init__(self, folder: Path, *options: str, artifact: Path = SHIPPED) -> None:
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        self.http = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.artifact = artifact
        self._options = options
        self._process: Process | None = None

    async def __aenter__(self) -> "Server":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    async def start(self) -> None:
        """Start it; return once it listens."""
        self._process = await asyncio.create_subprocess_exec(
            *(GAITWAY, "serve", "--port", str(self.port), "--artifact", str(self.artifact)),
            *self._options,
            stdout=PIPE,
            cwd=self.folder,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            while b"ws://" not in (line := await self._process.stdout.readline()):
                assert line, "the server ended before it listened"

    async def joined(self) -> None:
        """Wait until it has joined its broker, if it has one: before, no frame is kept for it."""
        async for attempt in stamina.retry_context(on=AssertionError, attempts=None, timeout=30):
            with attempt:
                async with httpx.AsyncClient(base_url=self.http) as client:
                    assert (await client.get("/readyz")).json()["mqtt"] != "reconnecting"

    async def kill(self) -> None:
        """End it at once, as a power cut would."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int | None:
        """End it in order; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        async with asyncio.timeout(5):
            return await self._process.wait()

    async def history(self, device: str) -> list[dict[str, Any]]:
        """Page through all that it keeps of a device."""
        found: list[dict[str, Any]] = []
        async with httpx.AsyncClient(base_url=self.http, timeout=30) as client:
            after: str | None = ""
            while after is not None:
                query = {"device": device, "limit": "50", "after": after}
                page = (await client.get("/v1/events", params=query)).raise_for_status().json()
                found += page["events"]
                after = page["next"]
        return found


class Stream(NamedTuple):
    """What a phone sends, frame by frame."""

    device: str
    frames: list[tuple[NDArray[np.float32], NDArray[np.float64] | None]]


def made_up(device: str, frames: int, seed: int) -> Stream:
    """Make a stream up: every other one timed, at a rate and with a gap of its own."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(10, 60, frames)
    n = int(sizes.sum())
    level = np.repeat(rng.uniform(-9, 9, n // 300 + 1), 300)[:n]
    xyz = (rng.normal(0, 2, (n, 3)) + level[:, None]).astype(np.float32)
    edges = [0, *np.cumsum(sizes).tolist()]
    t = None
    if seed % 2:
        t = 50 + np.cumsum(rng.uniform(0.3, 1.7, n) / rng.choice([25.0, 50.0]))
        t[n // 2 :] += 3.0
    pieces = [(xyz[a:b], None if t is None else t[a:b]) for a, b in pairwise(edges)]
    return Stream(device, pieces)


def plain(message: Prediction | Started | Ended | dict[str, Any]) -> dict[str, Any]:
    """Return what must be equal, numbers for `pytest.approx`."""
    raw = message if isinstance(message, dict) else json.loads(msgspec.json.encode(message))
    kept = {key: value for key, value in raw.items() if key not in UNEQUAL}
    return kept | {f"p {name}": p for name, p in kept.pop("probabilities", {}).items()}


def differences(
    heard: list[dict[str, Any]], expected: list[dict[str, Any]]
) -> list[tuple[dict[str, Any] | None, dict[str, Any]]]:
    """Return what was expected and not heard so; the last bits of a batch may differ."""
    by_id = {message["id"]: message for message in heard}
    pairs = [(by_id.get(message["id"]), message) for message in expected]
    return [
        (one, other)
        for one, other in pairs
        if one is None
        or one.keys() != other.keys()
        or any(not _same(one[k], other[k]) for k in other)
    ]


def _same(one: Any, other: Any) -> bool:
    return bool(one == (pytest.approx(other, abs=1e-6) if isinstance(other, float) else other))


def unbroken(stream: Stream, session: str, artifact: Path, count: int) -> list[dict[str, Any]]:
    """Return what a run without a break says about the first `count` frames."""
    classifier = OnnxClassifier(artifact, Signal(), 1)
    options = SessionOptions(classifier.manifest.activities, classifier.manifest.model)
    live = Session(stream.device, session, options)
    said: list[Any] = []
    for seq, (xyz, t) in enumerate(stream.frames[:count]):
        for window in live.feed(Frame(seq, t, None, xyz)):
            answer = classifier.classify(window.xyz[None])[0]
            said.append(live.predict(window, answer))
            said += live.decide(said[-1])
    said += live.close()
    return [plain(message) for message in said]


async def play(
    url: str, stream: Stream, pace_s: float, here: asyncio.Event
) -> tuple[str, list[dict[str, Any]]]:
    """Stream it all, whatever happens after `here`; return the session, and what it heard."""
    heard: list[dict[str, Any]] = []
    async with Phone(url, stream.device, encoding="json") as phone:
        here.set()
        listening = asyncio.create_task(_listen(phone, heard))
        for xyz, t in stream.frames:
            await phone.send(xyz, t)
            await asyncio.sleep(pace_s)
        await phone.drain()
        assert phone.session_base == 0, "the server forgot what it had acked"
        session = phone.session
        await asyncio.sleep(1)  # the last predictions
    await listening
    assert session is not None
    return session, heard


async def _listen(phone: Phone, heard: list[dict[str, Any]]) -> None:
    async for message in phone.messages():
        heard += [plain(message)] if isinstance(message, Prediction | Started | Ended) else []
