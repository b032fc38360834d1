"""Sensor Logger by HTTP, over a real socket: a fake phone speaks like the app."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from websockets.asyncio.client import connect

from stream import service
from stream.config import Config, Device
from stream.service import Service
from tests.core.test_sensor_logger import GOLDEN, mutated
from tests.sensor_logger import Entry, entries, face_up, message, messages, walk

PATH = "/v1/sensor-logger"
UNDETERMINED = "The sign is undetermined"


@pytest.fixture
async def client(running: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=running.http_url) as client:
        yield client


async def push(
    client: httpx.AsyncClient, payload: list[Entry], size: int = 100, **options: Any
) -> list[tuple[int, str]]:
    """Push entries like the app; return each answer's status and text."""
    bodies = messages(payload, size, **options)
    answers = [await client.post(PATH, content=body) for body in bodies]
    return [(answer.status_code, answer.text) for answer in answers]


async def qualities(running: Service, device: str = "b1") -> asyncio.Queue[dict[str, Any]]:
    """Collect what is said of a device's signal from now on."""
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def hear(name: str, said: object, _channel: str | None) -> None:
        body = msgspec.to_builtins(said)
        if name == device and body["type"] == "quality":
            heard.put_nowait(body)

    running.hub.publisher.add_sink(hear)
    return heard


async def test_pushed_samples_become_predictions(
    client: httpx.AsyncClient, running: Service
) -> None:
    answers = await push(client, entries(walk(13), "android"))
    assert set(answers) == {(200, "ok\n")}
    await running.hub.models.drained()
    events = (await client.get("/v1/events?type=prediction")).json()["events"]
    assert [event["id"] for event in events] == ["b1/s/0", "b1/s/1"]


async def test_the_device_of_the_url_counts_more(
    client: httpx.AsyncClient, running: Service
) -> None:
    body = message(0, entries(walk(3), "android"))
    assert (await client.post(f"{PATH}?device=pixel-7", content=body)).status_code == 200
    assert [device.name for device in running.hub.devices] == ["pixel-7"]
    assert (await client.post(f"{PATH}?device=a/b", content=body)).status_code == 400


async def test_the_test_push_is_answered_and_ignored(
    client: httpx.AsyncClient, running: Service
) -> None:
    answer = await client.post(PATH, content=(GOLDEN / "test.json").read_bytes())
    assert answer.status_code == 200
    assert list(running.hub.devices) == []


@pytest.mark.parametrize(
    ("payload", "rate_hz", "text"),
    [
        (entries(walk(6, 5), "android", 5), 5, "Your rate is 5 Hz, at least 20 Hz is needed."),
        (entries(np.full((300, 3), 5.61), "android", 50), 50, "The sensor repeats the same"),
        (
            [e for e in entries(walk(6), "ios") if e["name"] == "accelerometer"],
            100,
            "Gravity is missing",
        ),
    ],
)
async def test_what_is_wrong_is_shown_to_the_user_once_within_5_s(
    client: httpx.AsyncClient, payload: list[Entry], rate_hz: int, text: str
) -> None:
    answers = await push(client, payload, rate_hz)  # a second each
    shown = [(second, body) for second, (status, body) in enumerate(answers) if status == 499]
    ((second, body),) = shown
    assert second < 5
    assert body.startswith(text)
    assert {status for status, _ in answers} == {200, 499}


@pytest.mark.parametrize("name", ["gyroscope", "gravity"])
async def test_messages_without_acceleration_are_named_once(
    client: httpx.AsyncClient, name: str
) -> None:
    only = [e for e in entries(walk(6), "ios") if e["name"] == name]
    answers = await push(client, only)
    assert [text for status, text in answers if status == 499] == [
        "No acceleration arrives: in Sensor Logger, switch on Accelerometer and Gravity."
    ]


async def test_gravity_that_stops_is_named_once(client: httpx.AsyncClient) -> None:
    payload = entries(walk(12), "ios")
    kept = [e for i, e in enumerate(payload) if i < 1200 or e["name"] == "accelerometer"]
    answers = await push(client, kept)
    assert [text for status, text in answers if status == 499] == [
        "Gravity no longer arrives: switch it on again, or send acceleration with gravity."
    ]


async def test_messages_without_a_session_go_on_in_the_current_one(
    client: httpx.AsyncClient, running: Service
) -> None:
    for body in messages(entries(walk(13), "android"), session=""):
        await client.post(PATH, content=body)
    await running.hub.models.drained()
    events = (await client.get("/v1/events?type=prediction")).json()["events"]
    assert [event["window"] for event in events] == [0, 1]


async def test_a_unit_is_decided_and_said_within_5_s(
    client: httpx.AsyncClient, running: Service
) -> None:
    heard = await qualities(running)
    await push(client, entries(walk(5), "ios-raw"))
    said = heard.get_nowait()
    assert said["state"] == "good"
    assert said["advice"] == (
        "Readings are taken as g with iOS's signs: only iOS sends accelerometeruncalibrated in g "
        "and its length at rest is 1.0."
    )


async def test_the_face_up_check_tells_the_sign_and_turns_it(
    client: httpx.AsyncClient, running: Service
) -> None:
    heard = await qualities(running)
    await push(client, entries(face_up(6), "ios"), 300)
    before = heard.get_nowait()
    assert before["advice"].startswith(UNDETERMINED)
    assert "/v1/devices/b1/face-up" in before["advice"]
    answer = (await client.post("/v1/devices/b1/face-up")).json()
    assert answer == {
        "device": "b1",
        "axes": "ios",
        "before": "android",
        "z": pytest.approx(-9.8, abs=0.05),
        "detail": "z is -9.8 m/s² face up: the signs were wrong, and are turned from now on.",
    }
    await push(client, entries(face_up(11), "ios", t=6), 300, first=6)
    after = heard.get_nowait()
    assert after["advice"] == (
        "Readings are taken as m/s² with iOS's signs: the face-up check found it and its length at "
        "rest is 9.8."
    )
    again = (await client.post("/v1/devices/b1/face-up")).json()
    assert (again["axes"], again["before"], again["z"] > 9) == ("ios", "ios", True)
    await push(client, entries(face_up(3), "ios"), 300, session="next")
    (device,) = running.hub.devices
    assert device.newest is not None
    assert (device.newest.id, device.newest.axes) == ("next", "ios")


async def test_no_window_mixes_signs(config: Config) -> None:
    class Spy:
        def __init__(self) -> None:
            self.z: list[float] = []

        def classify(self, windows: Any) -> Any:
            self.z += windows[:, :, 2].min(axis=1).tolist() + windows[:, :, 2].max(axis=1).tolist()
            return np.full((len(windows), 6), 1 / 6, np.float32)

    spy = Spy()
    async with (
        service.running(config, spy) as running,
        httpx.AsyncClient(base_url=running.http_url) as client,
    ):
        await push(client, entries(face_up(15), "ios"), 300)
        assert (await client.post("/v1/devices/b1/face-up")).json()["axes"] == "ios"
        await push(client, entries(face_up(15), "ios", t=15), 300, first=15)
        await running.hub.models.drained()
    assert len(spy.z) >= 8
    assert {round(abs(z)) for z in spy.z} == {10}
    assert {np.sign(z) for z in spy.z} == {-1.0, 1.0}


async def test_a_phone_of_the_servers_own_format_can_be_checked_too(
    client: httpx.AsyncClient, running: Service
) -> None:
    async with connect(f"{running.ws_url}/v1/stream?device=mine") as phone:
        for seq in range(6):
            xyz = (-face_up(1, 20, seq)).tolist()
            await phone.send(json.dumps({"type": "samples", "seq": seq, "xyz": xyz}))
        while json.loads(await phone.recv()).get("seq") != 5:
            pass
        answer = (await client.post("/v1/devices/mine/face-up")).json()
        assert (answer["axes"], answer["before"]) == ("ios", "android")
        for seq in range(6, 9):
            xyz = (-face_up(1, 20, seq)).tolist()
            await phone.send(json.dumps({"type": "samples", "seq": seq, "xyz": xyz}))
        quality: dict[str, Any] = {}
        while "face-up" not in quality.get("advice", ""):
            quality = json.loads(await phone.recv())
        assert quality["state"] == "good"


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        ([], "sends nothing"),
        (entries(walk(5), "ios"), "does not lie flat and still"),
        (entries(face_up(1), "ios"), "sends nothing"),
    ],
)
async def test_a_check_that_cannot_be_made(
    client: httpx.AsyncClient, payload: list[Entry], word: str
) -> None:
    await push(client, payload)
    answer = await client.post("/v1/devices/b1/face-up")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in answer.json()["detail"]


async def test_config_toml_overrides(config: Config) -> None:
    mine = {"b1": Device(axes="ios", units="m/s2")}
    settings = msgspec.structs.replace(config, devices=mine)
    async with (
        service.running(settings) as running,
        httpx.AsyncClient(base_url=running.http_url) as client,
    ):
        heard = await qualities(running)
        await push(client, entries(face_up(5), "ios"))
        answer = await client.post("/v1/devices/b1/face-up")
        assert answer.status_code == 409
        assert "config.toml says axes = 'ios'" in answer.json()["detail"]
    said = heard.get_nowait()
    assert said["advice"] == ("Readings are taken as m/s² with iOS's signs: config.toml says so.")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"junk", 422),
        (b'{"payload": []}', 422),
        (b"[" * 2_000_000, 422),
        (message(0, [{"name": "gravity", "time": 1, "values": {"x": 1}}]), 422),
        (b'{"payload": [{"name": "\xff"}]}', 422),
    ],
)
async def test_nonsense_is_a_problem(client: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await client.post(PATH, content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_batch_of_20_s_with_every_sensor_is_taken(
    client: httpx.AsyncClient, running: Service
) -> None:
    ios = entries(walk(20), "ios")  # with a gyroscope beside
    raw, turning = entries(walk(20), "ios-raw"), ios[2::3]
    field = [reading | {"name": "magnetometer"} for reading in turning]
    body = message(0, [*ios, *raw, *field])
    assert len(body) > 1_048_576
    assert (await client.post(PATH, content=body)).status_code == 200
    await running.hub.models.drained()
    events = (await client.get("/v1/events?type=prediction")).json()["events"]
    assert [event["window"] for event in events] == [0, 1, 2, 3, 4]


async def test_what_is_too_big_is_told_to_the_user_every_time(
    client: httpx.AsyncClient, running: Service
) -> None:
    for _ in range(2):
        answer = await client.post(PATH, content=b"[" * 5_000_000)
        assert (answer.status_code, answer.text) == (
            499,
            "The message is longer than 4194304 bytes: set a shorter batch period in Sensor "
            "Logger, or record fewer sensors.",
        )
    counted = 'gaitway_frames_refused_total{channel="http",code="too-big"} 2.0'
    assert counted in running.hub.metrics.render().decode()


async def test_200_malformed_messages_disturb_nobody_else(
    client: httpx.AsyncClient, running: Service
) -> None:
    good = messages(entries(walk(13), "android"), 100, device="good")
    async with connect(f"{running.ws_url}/v1/events?device=good&type=prediction") as listener:
        for seed in range(200):
            answer = await client.post(PATH, content=mutated(random.Random(seed)))
            assert answer.status_code in {200, 422, 499}
            if seed < len(good):
                assert (await client.post(PATH, content=good[seed])).status_code == 200
        async with asyncio.timeout(10):
            heard = [json.loads(await listener.recv())["id"] for _ in range(2)]
    assert heard == ["good/s/0", "good/s/1"]
