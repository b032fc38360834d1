"""Edge Impulse's recordings by HTTP, over a real socket, as its mobile client posts them."""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator

import httpx
import msgspec
import numpy as np
import pytest
from websockets.asyncio.client import connect

from stream.config import Config
from stream.service import Service
from tests.sensor_apps import FORM, GOLDEN, edge_impulse, form, mutated
from tests.sensor_logger import entries, messages, walk

PATH = "/api/training/data"
HEADERS = {"x-api-key": "ei_1", "x-file-name": "walking", "content-type": FORM}
IAT = 1_764_128_599
PAGE = "https://smartphone.edgeimpulse.com"


@pytest.fixture
def config(config: Config) -> Config:
    """Settings that let the client's own page upload."""
    auth = msgspec.structs.replace(config.auth, origins=(PAGE,))
    return msgspec.structs.replace(config, auth=auth)


@pytest.fixture
async def client(running: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=running.http_url) as client:
        yield client


async def predictions(client: httpx.AsyncClient, running: Service) -> list[tuple[str, int]]:
    await running.hub.models.drained()
    page = (await client.get("/v1/events?type=prediction")).json()
    return [(event["device"], event["window"]) for event in page["events"]]


@pytest.mark.parametrize("path", [PATH, "/api/testing/data", "/v1/edge-impulse"])
async def test_a_recording_becomes_predictions(
    client: httpx.AsyncClient, running: Service, path: str
) -> None:
    body = form(edge_impulse(walk(13, 62.5)))
    answer = await client.post(path, content=body, headers=HEADERS)
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert await predictions(client, running) == [("phone_lx3k2j7a", 0), ("phone_lx3k2j7a", 1)]


async def test_bare_json_of_a_board_without_a_clock(
    client: httpx.AsyncClient, running: Service
) -> None:
    """Each recording begins at 0 anew: time runs back, and windows begin anew."""
    for _ in range(2):
        body = edge_impulse(walk(11, 62.5), device="board", iat=None)
        headers = {"x-api-key": "ei_1", "x-label": "walk", "content-type": "application/json"}
        assert (await client.post(PATH, content=body, headers=headers)).status_code == 200
    assert [device for device, _ in await predictions(client, running)] == ["board"] * 2


async def test_recordings_of_a_phone_are_one_session_with_gaps(
    client: httpx.AsyncClient, running: Service
) -> None:
    for iat in (IAT, IAT + 60):
        body = form(edge_impulse(walk(11, 62.5), iat=iat))
        assert (await client.post(PATH, content=body, headers=HEADERS)).status_code == 200
    assert len(await predictions(client, running)) == 2
    (device,) = running.hub.devices
    (session,) = device.sessions
    assert session.counters.gaps == 1


async def test_readings_in_g_are_found_out(client: httpx.AsyncClient, running: Service) -> None:
    answer = await client.post(PATH, content=edge_impulse(walk(13, 62.5) / 9.80665))
    assert answer.status_code == 200
    (device,) = running.hub.devices
    assert device.state().quality == "good"


async def test_what_is_wrong_is_shown_as_a_failed_upload(client: httpx.AsyncClient) -> None:
    slow = edge_impulse(walk(13, 10), 10)
    answer = await client.post(PATH, content=form(slow), headers=HEADERS)
    assert (answer.status_code, answer.text) == (
        499,
        "Your rate is 10 Hz, at least 20 Hz is needed.",
    )


async def test_each_recording_is_answered_for_itself(client: httpx.AsyncClient) -> None:
    zeros, good, short = np.zeros((813, 3)), walk(13, 62.5), walk(3, 62.5)
    answers = []
    for number, samples in enumerate([zeros, zeros, zeros, short, good, zeros]):
        body = edge_impulse(samples, iat=IAT + 60 * number)
        answers.append((await client.post(PATH, content=body)).text[:20])
    frozen = "The sensor repeats t"
    assert answers == [frozen, frozen, frozen, "The recording is 3.0", "ok\n", frozen]


async def test_recordings_of_something_else_are_named(
    client: httpx.AsyncClient, running: Service
) -> None:
    sound = (GOLDEN / "edge-impulse" / "sound.json").read_bytes()
    for _ in range(2):  # each is a failed upload
        answer = await client.post(PATH, content=sound)
        assert answer.status_code == 499
        assert answer.text.startswith("No acceleration arrives: record with a sensor")
    assert list(running.hub.devices) == []


@pytest.mark.parametrize("seconds", [1, 10])
async def test_a_recording_that_is_too_short_says_how_long_it_must_be(
    client: httpx.AsyncClient, running: Service, seconds: int
) -> None:
    for _ in range(2):
        answer = await client.post(PATH, content=edge_impulse(walk(seconds, 62.5)))
        assert (answer.status_code, answer.text) == (
            499,
            f"The recording is {seconds}.0 s long, and a prediction needs more than 10 s: set the "
            "length to 12 s or more.",
        )
    assert await predictions(client, running) == []


async def test_a_recording_that_is_too_big_says_so(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, content=b" " * 5_000_000, headers=HEADERS)
    assert (answer.status_code, answer.text) == (
        499,
        "The message is longer than 4194304 bytes: record for a shorter time.",
    )


async def test_a_page_that_is_listed_may_post(client: httpx.AsyncClient) -> None:
    origin = {"origin": PAGE}
    asked = await client.options(
        PATH,
        headers=origin
        | {
            "access-control-request-method": "POST",
            "access-control-request-headers": "x-api-key,x-file-name",
            "access-control-request-private-network": "true",
        },
    )
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == "*"
    assert asked.headers["access-control-allow-headers"] == "x-api-key,x-file-name"
    assert asked.headers["access-control-allow-private-network"] == "true"
    for body, status in ((form(edge_impulse(walk(11, 62.5))), 200), (b"junk", 422)):
        answer = await client.post(PATH, content=body, headers=HEADERS | origin)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "*"


async def test_any_other_page_may_not_and_is_told_why(client: httpx.AsyncClient) -> None:
    body = form(edge_impulse(walk(11, 62.5)))
    answer = await client.post(PATH, content=body, headers=HEADERS | {"origin": "https://evil"})
    assert answer.status_code == 403
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "auth.origins" in answer.json()["detail"]


async def test_a_device_must_be_named(client: httpx.AsyncClient, running: Service) -> None:
    nameless = edge_impulse(walk(11, 62.5), device="")
    answer = await client.post(PATH, content=nameless)
    assert answer.status_code == 422
    assert "names no device" in answer.json()["detail"]
    answer = await client.post("/v1/edge-impulse?device=mine", content=nameless)
    assert answer.status_code == 200
    assert [device.name for device in running.hub.devices] == ["mine"]


async def test_another_app_of_the_same_device_begins_a_session(
    client: httpx.AsyncClient, running: Service
) -> None:
    for body in messages(entries(walk(11), "android"), device="a", session=""):
        assert (await client.post("/v1/sensor-logger", content=body)).status_code == 200
    assert (await client.post(PATH, content=edge_impulse(walk(11, 62.5), device="a"))).is_success
    assert await predictions(client, running) == [("a", 0)] * 2
    (device,) = running.hub.devices
    assert len(device.sessions) == 1


@pytest.mark.parametrize(
    ("body", "status"), [(b"junk", 422), (b"--", 422), (b"", 422), (b" " * 2_000_000, 422)]
)
async def test_nonsense_is_a_problem(client: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await client.post(PATH, content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await client.get(PATH)).status_code == 405


async def test_200_malformed_recordings_disturb_nobody_else(
    client: httpx.AsyncClient, running: Service
) -> None:
    names = ("mobile.json", "form.txt", "board.json", "sound.json")
    good = messages(entries(walk(13), "android"), 100, device="good")
    async with connect(f"{running.ws_url}/v1/events?device=good&type=prediction") as listener:
        for seed in range(200):
            spoilt = mutated(random.Random(seed), *(f"edge-impulse/{name}" for name in names))
            answer = await client.post(PATH, content=spoilt)
            assert answer.status_code in {200, 422, 499}
            if seed < len(good):
                assert (await client.post("/v1/sensor-logger", content=good[seed])).is_success
        async with asyncio.timeout(10):
            heard = [json.loads(await listener.recv())["id"] for _ in range(2)]
    assert heard == ["good/s/0", "good/s/1"]
    refused = re.search(
        r'frames_refused_total\{channel="http",code="bad-frame"\} (\S+)',
        running.hub.metrics.render().decode(),
    )
    assert refused
    assert float(refused[1]) > 50


async def test_a_recording_of_minutes_is_taken_whole(
    client: httpx.AsyncClient, running: Service
) -> None:
    rounded = np.round(walk(180, 62.5), 1)
    assert (await client.post(PATH, content=edge_impulse(rounded))).status_code == 200
    assert len(await predictions(client, running)) == (180 - 10) // 2
