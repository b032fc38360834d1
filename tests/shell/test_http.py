"""HTTP: frames by POST, state, history, health; errors are problem details."""

import json
from collections.abc import AsyncIterator

import httpx
import numpy as np
import pytest

from stream.config import Config
from stream.errors import InferenceError
from stream.service import Service
from stream.wire.binary import encode_binary
from tests.dialling import metric

SAMPLES = np.random.default_rng(3).normal(3, 3, (800, 3)).astype(np.float32)


def frame(seq: int) -> str:
    return json.dumps({"seq": seq, "xyz": SAMPLES[40 * seq : 40 * seq + 40].tolist()})


@pytest.fixture
async def client(running: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=running.http_url) as client:
        yield client


async def post(client: httpx.AsyncClient, body: str | bytes, query: str = "device=a") -> object:
    answer = await client.post(f"/v1/frames?{query}", content=body)
    return answer.json()


async def test_a_posted_frame_is_acked(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/frames?device=a&session=s", content=frame(0))
    assert (answer.status_code, answer.json()) == (200, {"type": "ack", "session": "s", "seq": 0})
    binary = await client.post(
        "/v1/frames?device=a&session=s", content=encode_binary(1, SAMPLES[40:80])
    )
    assert binary.json()["seq"] == 1


async def test_posted_frames_become_predictions(
    client: httpx.AsyncClient, running: Service
) -> None:
    for seq in range(7):
        await post(client, frame(seq), "device=a&session=s")
    await running.hub.models.drained()
    page = (await client.get("/v1/events?device=a&type=prediction&limit=2")).json()
    assert [event["id"] for event in page["events"]] == ["a/s/0", "a/s/1"]
    rest = (await client.get(f"/v1/events?type=prediction&after={page['next']}")).json()
    assert [event["id"] for event in rest["events"]] == ["a/s/2"]
    assert rest["next"] is None


async def test_history_by_time(client: httpx.AsyncClient, running: Service) -> None:
    for seq in range(5):
        await post(client, frame(seq), "device=a&session=s")
    await running.hub.models.drained()
    assert (await client.get("/v1/events?to=2020-01-01")).json()["events"] == []
    assert len((await client.get("/v1/events?from=2020-01-01")).json()["events"]) == 1


@pytest.mark.parametrize(
    ("query", "body", "status", "word"),
    [
        ("device=a/b", "{}", 400, "device id 'a/b'"),
        ("", "{}", 400, "device id ''"),
        ("device=a&units=furlong", "{}", 400, "units = 'furlong'"),
        ("devise=a", "{}", 400, "'devise' is no parameter here, known are device, session, since,"),
        ("device=a", "junk", 422, "not a frame"),
        ("device=a", '{"seq": 0, "xyz": [[1, 2, 4e9]]}', 422, "±40 g"),
        ("device=a", '{"xyz": [[1, 2, 3]]}', 422, "seq is missing"),
        ("device=a", "[" * 2_000_000, 413, "1048576"),
    ],
)
async def test_problems_are_named(
    client: httpx.AsyncClient, query: str, body: str, status: int, word: str
) -> None:
    answer = await client.post(f"/v1/frames?{query}", content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in answer.json()["detail"]
    assert answer.json()["status"] == status


async def test_a_body_that_is_too_big_is_counted(
    client: httpx.AsyncClient, running: Service
) -> None:
    answer = await client.post("/v1/frames?device=a", content="[" * 2_000_000)
    assert answer.status_code == 413
    assert metric(running, 'gaitway_frames_refused_total{channel="http",code="too-big"}') == 1


@pytest.mark.parametrize(
    "path",
    [
        "/v1/events?limit=0",
        "/v1/events?limit=0000000001" + "0" * 5000,
        "/v1/events?from=noon",
        "/v1/events?type=gossip",
        "/v1/events?devices=a",
        "/v1/events?since=a/s/1",
        "/v1/devices/a%23",
    ],
)
async def test_bad_questions(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 400


async def test_unknown_things_are_404_and_pruned_ones_410(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/devices/nobody")).status_code == 404
    assert (await client.get("/nothing")).status_code == 404
    assert (await client.get("/v1/events?after=a/s/1")).status_code == 410


async def test_devices(client: httpx.AsyncClient) -> None:
    await post(client, frame(0))
    listed = (await client.get("/v1/devices")).json()["devices"]
    assert [device["device"] for device in listed] == ["a"]
    assert (await client.get("/v1/devices/a")).json() == listed[0]


async def test_health_and_metrics(client: httpx.AsyncClient, config: Config) -> None:
    await post(client, frame(0))
    assert (await client.get("/healthz")).text == "ok\n"
    ready = (await client.get("/readyz")).json()
    assert (ready["ready"], ready["mqtt"]) == (True, "off")
    metrics = (await client.get("/metrics")).text
    assert 'gaitway_frames_total{channel="http"} 1.0' in metrics
    assert "process_resident_memory_bytes" in metrics


async def test_a_failing_model_is_not_ready(client: httpx.AsyncClient, running: Service) -> None:
    running.hub.models.shared.batcher.failure = InferenceError("out of memory")
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["problem"]) == (503, "out of memory")


async def test_a_huge_host_is_nobodys_name(client: httpx.AsyncClient) -> None:
    usual = await client.get("/phone.svg")
    huge = await client.get("/phone.svg", headers={"Host": "a" * 3000})
    assert huge.status_code == 200
    assert len(huge.content) < 2 * len(usual.content)
