"""A model that raises, is gone for a while, and gets stuck: every prediction comes in the end."""

import asyncio
import time
from pathlib import Path

import httpx
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from clients import reconnect
from stream import service
from stream.config import Batcher, Config, Mqtt, Signal
from stream.model import batcher
from stream.model.classifier import OnnxClassifier
from tests.dialling import metric
from tests.faults.phones import faults, players, playing, until

COUNTS = [(2, 1), pytest.param(10, 20, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
FRAMES = 300  # for each plan, more than are sent
ROOM = 64  # windows that may wait; while the model is gone, more would come
GONE = 8  # calls in a row that nothing gets an answer to
STUCK_S = 1.5


class Moody:
    """A model that goes by a plan; what it answers in the end is right."""

    def __init__(self, artifact: Path, rng: np.random.Generator, plans: int) -> None:
        self._sound = OnnxClassifier(artifact, Signal(), 1)
        plan = ["answers"] * 12 + ["raises"] * 6 + ["goes", "hangs"]
        self._moods = [mood for _ in range(plans) for mood in rng.permutation(plan)]
        self._gone = 0
        self._raised = 0  # in a row: who gets no answer while others do is given up, rightly

    @property
    def through(self) -> bool:
        """Whether it has been in every mood."""
        return not self._moods

    def classify(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Answer (batch, window, axis), or not."""
        if self._gone:
            self._gone -= 1
            raise RuntimeError("gone")
        if not windows.any() or not self._moods:
            return self._sound.classify(windows)
        mood = self._moods.pop()
        if mood == "goes":
            self._gone = GONE - 1
            raise RuntimeError("gone")
        if mood == "hangs":
            time.sleep(STUCK_S)
        if mood == "raises" and self._raised < batcher.ATTEMPTS - 1:
            self._raised += 1
            raise RuntimeError("moody")
        self._raised = 0
        return self._sound.classify(windows)


async def problems(url: str, said: set[str]) -> None:
    """Gather what /readyz says is wrong, until cancelled."""
    async with httpx.AsyncClient(base_url=url) as client:
        while True:
            said.add((await client.get("/readyz")).json().get("problem") or "")
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(("phones", "plans"), COUNTS)
async def test_a_moody_model(
    config: Config,
    toy_artifact: Path,
    broker: str,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    phones: int,
    plans: int,
) -> None:
    monkeypatch.setattr(batcher, "STUCK_S", STUCK_S / 3)
    monkeypatch.setattr(batcher, "LOOK_S", STUCK_S / 6)
    monkeypatch.setattr(reconnect, "LONGEST_WAIT_S", 0.5)
    monkeypatch.setattr(reconnect, "JITTER_S", 0.2)
    settings = msgspec.structs.replace(
        config, mqtt=Mqtt(url=broker), batcher=Batcher(max_queue=ROOM)
    )
    model, said = Moody(toy_artifact, rng, plans), set[str]()
    async with service.running(settings, model) as running:
        assert running.bridge is not None
        bridge = running.bridge
        await until(lambda: bridge.connected)
        playing_phones = players([running.ws_url, broker] * phones, toy_artifact, FRAMES * plans)
        asking = asyncio.create_task(problems(running.http_url, said))
        async with playing(playing_phones):
            await until(lambda: model.through, 20 * plans)
        asking.cancel()
        assert faults(playing_phones) == {}
        assert metric(running, "gaitway_windows_unanswered_total") == 0
        assert {"", "the model fails: gone", "the model has not answered for 0.5 s"} <= said
