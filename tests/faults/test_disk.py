"""A disk that fills: nothing is acked that is not durable, it is said, and it passes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import stamina
from websockets.asyncio.client import connect

from stream import service
from stream.config import Config, Journal
from stream.service import Service

SAMPLES = np.random.default_rng(3).normal(3, 3, (4000, 3)).astype(np.float32)


def frame(seq: int) -> str:
    xyz = SAMPLES[40 * seq : 40 * seq + 40].tolist()
    return json.dumps({"type": "samples", "seq": seq, "xyz": xyz})


def on_disk(config: Config, folder: Path) -> Config:
    journal = Journal(path=str(folder / "journal.db"), commit_ms=1)
    return msgspec.structs.replace(config, journal=journal)


def fill(running: Service, *, full: bool) -> None:
    """Let the file grow no further, or again."""
    connection = running.hub.journal.store._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages if full else 10**6}")


async def heard(websocket: Any, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while (message := json.loads(await websocket.recv()))["type"] != kind:
            pass
    return dict(message)


async def test_a_full_disk(config: Config, tmp_path: Path) -> None:
    async with (
        service.running(on_disk(config, tmp_path)) as running,
        httpx.AsyncClient(base_url=running.http_url) as client,
    ):
        url = f"{running.ws_url}/v1/stream?device=a&session=s"
        async with connect(url) as phone:
            await phone.send(frame(0))
            assert (await heard(phone, "ack"))["seq"] == 0
            fill(running, full=True)
            seq = 1
            while running.hub.journal.problem is None:  # until the file's last page is full
                await phone.send(frame(seq))
                seq += 1
                await asyncio.sleep(0.01)
            await phone.send(frame(seq))
            error = await heard(phone, "error")
            assert error["code"] == "not-durable"
            assert "disk is full" in error["message"]
            await phone.wait_closed()
            assert phone.close_code == 1013
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["journal"]) == (503, "not-durable")
        answer = await client.post("/v1/frames?device=b", content=frame(0))
        assert (answer.status_code, answer.json()["code"]) == (503, "not-durable")
        async with connect(url) as phone:
            before = await heard(phone, "welcome")
            assert before["next_seq"] < seq  # the rest was taken, but is not durable
            await phone.close(1001)  # and not 1000, which would end the session
        fill(running, full=False)
        async for attempt in stamina.retry_context(on=AssertionError, attempts=None, timeout=30):
            with attempt:
                assert (await client.get("/readyz")).status_code == 200
        async with connect(url) as phone:
            resumed = (await heard(phone, "welcome"))["next_seq"]
            assert before["next_seq"] < resumed <= seq
            for number in range(resumed, 20 + seq):
                await phone.send(frame(number))
            while (await heard(phone, "ack"))["seq"] < 19 + seq:
                pass
            while (await heard(phone, "prediction"))["window"] < 15 + seq:
                pass
        page = (await client.get("/v1/events?device=a&type=prediction&limit=1000")).json()
        assert [e["window"] for e in page["events"]] == list(range(16 + seq))
