"""Tokens at every door: who may stream, who may watch, and with what code everyone else leaves."""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.routing import Mount, Route, WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect

from stream.access import gate
from stream.config import Config
from stream.doors import http
from stream.service import Service
from tests.sensor_apps import edge_impulse
from tests.sensor_logger import entries, message, walk
from tests.shell.access import Keys, asking, bearer
from tests.shell.test_tcp import until
from tests.shell.test_websocket import acked, close_code, frame, receive

PUSH = message(0, entries(walk(3), "android"))
STREAM, EVENTS = "/v1/stream?device=pixel-7", "/v1/events"
RECORDING = edge_impulse(walk(11, 62.5), device="pixel-7")
OPEN = {"/", "/phone", "/phone.svg", "/pages", "/trust", "/ca.crt", "/healthz", "/readyz"}


@pytest.fixture
async def client(guarded: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=guarded.http_url) as client:
        yield client


def shown(keys: Keys, name: str) -> str:
    """Return a token by the name of what it is for, or a spoilt one."""
    whole = keys.device
    spoilt = {
        "nothing": "",
        "truncated": whole[:-1],
        "wrong": whole[:12] + "A" * 43,
        "of another id": "gw-00000000" + whole[11:],
        "longer": whole + "A",
    }
    return spoilt[name] if name in spoilt else str(getattr(keys, name))


UNKNOWN = ["nothing", "truncated", "wrong", "of another id", "longer", "expired", "revoked"]


async def by_header(url: str, token: str) -> int:
    async with connect(url, additional_headers=bearer(token)) as socket:
        return await close_code(socket)


async def by_message(url: str, token: str) -> int:
    async with connect(url) as socket:
        await socket.send(json.dumps({"type": "auth", "token": token}))
        return await close_code(socket)


@pytest.mark.parametrize("door", [STREAM, EVENTS])
@pytest.mark.parametrize("name", UNKNOWN)
async def test_what_does_not_count_opens_no_websocket(
    guarded: Service, keys: Keys, door: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    url, token = guarded.ws_url + door, shown(keys, name)
    assert await by_header(url, token) == 4401
    assert await by_message(url, token) == 4401
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    ("door", "name"),
    [
        (STREAM, "other"),
        (STREAM, "watch"),
        (EVENTS, "device"),
        (EVENTS + "?device=pixel-7", "device"),
        (EVENTS + "?device=pixel-7,ann", "watch"),
        (EVENTS + "?since=ann/s/1", "watch"),
    ],
)
async def test_what_counts_elsewhere_opens_no_websocket(
    guarded: Service, keys: Keys, door: str, name: str
) -> None:
    assert await by_header(guarded.ws_url + door, shown(keys, name)) == 4403
    assert await by_message(guarded.ws_url + door, shown(keys, name)) == 4403


async def open_socket(url: str, token: str, *, header: bool) -> ClientConnection:
    if header:
        return await connect(url, additional_headers=bearer(token))
    socket = await connect(url)
    await socket.send(json.dumps({"type": "auth", "token": token}))
    return socket


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("name", ["device", "phones", "admin"])
async def test_a_devices_own_token_streams(
    guarded: Service, keys: Keys, name: str, header: bool
) -> None:
    url = guarded.ws_url + STREAM
    async with await open_socket(url, shown(keys, name), header=header) as phone:
        assert (await receive(phone, "welcome"))["device"] == "pixel-7"
        await phone.send(frame(0))
        await acked(phone, 0)


@pytest.mark.parametrize(
    "first", ["", "junk", '{"type": "auth"}', '{"type": "auth", "token": 3}', frame(0), b"\x01"]
)
async def test_another_first_message_is_no_token(guarded: Service, first: str | bytes) -> None:
    async with connect(guarded.ws_url + STREAM) as socket:
        await socket.send(first)
        assert await close_code(socket) == 4401


async def test_who_says_nothing_waits_no_longer_than_allowed(
    guarded: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gate.AUTH_S == 5.0
    monkeypatch.setattr(gate, "AUTH_S", 0.01)
    async with connect(guarded.ws_url + STREAM) as socket:
        assert await close_code(socket) == 4401


async def test_a_watcher_hears_only_whom_it_may(guarded: Service, keys: Keys) -> None:
    url = f"{guarded.ws_url}{EVENTS}?type=prediction"
    admin = bearer(keys.admin)
    async with connect(url, additional_headers=bearer(keys.watch)) as watcher:
        for device in ("ann", "pixel-8"):
            stream = f"{guarded.ws_url}/v1/stream?device={device}"
            async with connect(stream, additional_headers=admin) as phone:
                for seq in range(5):
                    await phone.send(frame(seq))
                await receive(phone, "prediction")
        assert (await receive(watcher, "prediction"))["device"] == "pixel-8"
    async with connect(url + "&since=", additional_headers=bearer(keys.watch)) as late:
        assert json.loads(await late.recv())["device"] == "pixel-8"  # no state of ann's before it
        assert (await receive(late, "prediction"))["device"] == "pixel-8"


ASKED = [
    ("POST", "/v1/frames?device=pixel-7", frame(0), {"device", "admin"}),
    ("POST", "/v1/sensor-logger?device=pixel-7", PUSH, {"device", "admin"}),
    ("POST", "/v1/sensor-logger", PUSH, {"device", "other", "admin"}),
    ("POST", "/v1/edge-impulse?device=pixel-7", RECORDING, {"device", "admin"}),
    ("POST", "/api/training/data", RECORDING, {"device", "other", "admin"}),
    ("POST", "/v1/devices/pixel-7/face-up", "", {"device", "admin"}),
    ("GET", "/v1/devices", "", {"watch", "admin"}),
    ("GET", "/v1/devices/pixel-7", "", {"watch", "admin"}),
    ("GET", "/v1/devices/ann", "", {"admin"}),
    ("GET", "/v1/events", "", {"watch", "admin"}),
    ("GET", "/v1/events?device=pixel-7", "", {"watch", "admin"}),
    ("GET", "/v1/events?device=ann", "", {"admin"}),
    ("GET", "/v1/events?after=ann/s/1", "", {"admin"}),
    ("GET", "/metrics", "", {"admin"}),
]


@pytest.mark.parametrize(("method", "path", "body", "allowed"), ASKED)
async def test_every_path_asks(
    client: httpx.AsyncClient, keys: Keys, method: str, path: str, body: str, allowed: set[str]
) -> None:
    for name in UNKNOWN:
        token = shown(keys, name)
        answer = await client.request(method, path, content=body, headers=bearer(token))
        assert (name, answer.status_code) == (name, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
        assert not token or token not in answer.text
    assert (await client.request(method, path, content=body)).status_code == 401
    for name in ("device", "other", "watch", "phones", "admin"):
        answer = await client.request(method, path, content=body, headers=bearer(shown(keys, name)))
        let_in = answer.status_code in {200, 404, 409, 410}
        for_all = name == "phones" and path != "/metrics"
        assert (name, let_in) == (name, name in allowed or for_all)
        assert let_in or answer.status_code == 403


async def test_no_path_was_forgotten(guarded: Service, config: Config) -> None:
    routes = http.app(config, guarded.hub, guarded.gate, lambda: "off").routes
    paths = {route.path for route in routes if isinstance(route, Route | Mount | WebSocketRoute)}
    tried = {path.partition("?")[0] for _, path, _, _ in ASKED}
    names = {"pixel-7": "{device}", "ann": "{device}", "training": "{category}"}
    templates = {"/".join(names.get(part, part) for part in path.split("/")) for path in tried}
    assert paths - OPEN - {"/{path:path}"} == templates | {"/v1/stream", "/v1/events"}


@pytest.mark.parametrize("path", ["/", "/phone", "/phone.svg", "/pages/phone.js", "/healthz"])
async def test_pages_and_health_are_open(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers={"Accept": "text/html"})).status_code == 200


async def test_readiness_is_told_to_all_and_explained_to_admins(
    client: httpx.AsyncClient, keys: Keys
) -> None:
    assert (await client.get("/readyz")).json() == {"ready": True}
    assert (await client.get("/readyz", headers=bearer(keys.watch))).status_code == 403
    assert "model" in (await client.get("/readyz", headers=bearer(keys.admin))).json()


async def test_lists_hold_only_what_may_be_seen(client: httpx.AsyncClient, keys: Keys) -> None:
    for device in ("pixel-7", "ann"):
        path = f"/v1/frames?device={device}"
        await client.post(path, content=frame(0, 200), headers=bearer(keys.admin))
    listed = (await client.get("/v1/devices", headers=bearer(keys.watch))).json()["devices"]
    assert [device["device"] for device in listed] == ["pixel-7"]
    page = await client.get("/v1/events", headers=bearer(keys.watch))
    assert {event["device"] for event in page.json()["events"]} <= {"pixel-7"}


async def test_apps_without_headers_have_their_token_in_the_url(
    client: httpx.AsyncClient, guarded: Service, keys: Keys
) -> None:
    path = "/v1/sensor-logger"
    good = await client.post(f"{path}?token={keys.device}", content=PUSH)
    assert good.status_code == 200
    assert [device.name for device in guarded.hub.devices] == ["pixel-7"]  # the token's, and no id
    for query in (f"device=ann&token={keys.device}", f"token={keys.watch}"):
        assert (await client.post(f"{path}?{query}", content=PUSH)).status_code == 403
    for name in UNKNOWN:
        query = f"?token={shown(keys, name)}"
        assert (await client.post(path + query, content=PUSH)).status_code == 401
    assert (await client.get(f"/v1/devices?token={keys.admin}")).status_code == 401


async def test_an_app_may_have_its_token_in_authorization_bare_too(
    client: httpx.AsyncClient, guarded: Service, keys: Keys
) -> None:
    for shown in (keys.device, f"Bearer {keys.device}"):
        headers = {"Authorization": shown}
        answer = await client.post("/v1/sensor-logger", content=PUSH, headers=headers)
        assert answer.status_code == 200
    assert [device.name for device in guarded.hub.devices] == ["pixel-7"]


async def test_what_uploads_may_have_its_token_in_its_own_header(
    client: httpx.AsyncClient, guarded: Service, keys: Keys
) -> None:
    for token, status in ((keys.device, 200), (keys.watch, 403), ("ei_1", 401)):
        headers = {"x-api-key": token}
        answer = await client.post("/api/training/data", content=RECORDING, headers=headers)
        assert answer.status_code == status
    assert [device.name for device in guarded.hub.devices] == ["pixel-7"]


async def test_a_watcher_sees_the_waveforms_of_those_it_may(guarded: Service, keys: Keys) -> None:
    url = f"{guarded.ws_url}{EVENTS}?type=waveform"
    async with connect(url, additional_headers=bearer(keys.watch)) as watcher:
        await until(lambda: guarded.hub.publisher.watched("pixel-8"))
        assert not guarded.hub.publisher.watched("ann")
        for device in ("ann", "pixel-8"):
            stream = f"{guarded.ws_url}/v1/stream?device={device}"
            async with connect(stream, additional_headers=bearer(keys.phones)) as phone:
                await phone.send(frame(0))
                await acked(phone, 0)
        assert (await receive(watcher, "waveform"))["device"] == "pixel-8"


async def test_a_revoked_token_counts_no_more_at_once(
    client: httpx.AsyncClient, guarded: Service, keys: Keys
) -> None:
    url, headers = guarded.ws_url + STREAM, bearer(keys.device)
    async with connect(url, additional_headers=headers) as phone:
        await receive(phone, "welcome")
        keys.revoke(keys.device)
        answer = await client.post("/v1/frames?device=pixel-7", content=frame(0), headers=headers)
        assert answer.status_code == 401
        assert await close_code(phone) == 4401
        assert await by_header(url, keys.device) == 4401
        metrics = (await client.get("/metrics", headers=bearer(keys.admin))).text
    assert 'gaitway_turned_away_total{door="websocket",reason="revoked"} 1.0' in metrics
    assert 'gaitway_turned_away_total{door="http",reason="unauthenticated"} 1.0' in metrics
    new = keys.add("device", "pixel-7")
    async with connect(url, additional_headers=bearer(new)) as phone:
        await receive(phone, "welcome")


async def test_the_first_token_closes_an_open_server(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    async with asking(config, path) as running, connect(running.ws_url + STREAM) as phone:
        await receive(phone, "welcome")
        keys = Keys(path)
        assert await close_code(phone) == 4401
        assert phone.close_reason == "a token is needed from now on"
        assert await by_header(running.ws_url + EVENTS, keys.device) == 4403


@pytest.mark.parametrize("accident", ["gone", "junk", "empty"])
async def test_an_accident_with_the_file_lets_nobody_in(
    client: httpx.AsyncClient, keys: Keys, accident: str
) -> None:
    path, good = keys.path, keys.path.read_bytes()
    assert (await client.get("/metrics", headers=bearer(keys.admin))).status_code == 200
    path.unlink()
    if accident != "gone":
        path.write_bytes(b"junk" if accident == "junk" else b'{"tokens": []}')
    for headers in (bearer(keys.admin), {}):
        assert (await client.get("/metrics", headers=headers)).status_code == 401
    path.write_bytes(good)
    assert (await client.get("/metrics", headers=bearer(keys.admin))).status_code == 200


async def test_pages_of_others_may_not_come(running: Service) -> None:
    async with connect(running.ws_url + STREAM, additional_headers={"Origin": "http://evil"}) as s:
        assert await close_code(s) == 1008
    own = {"Origin": running.http_url}
    async with connect(running.ws_url + STREAM, additional_headers=own) as socket:
        await receive(socket, "welcome")
    async with httpx.AsyncClient(base_url=running.http_url) as client:
        post = {"content": frame(0), "headers": {"Origin": "http://evil"}}
        assert (await client.post("/v1/frames?device=a", **post)).status_code == 403  # type: ignore[arg-type]
        lured = {"Host": "evil.example", "Origin": "http://evil.example"}
        assert (await client.get("/v1/devices", headers=lured)).status_code == 403
        assert list(running.hub.devices) == []
        assert "evil" not in (await client.get("/metrics")).text


async def test_an_open_server_ignores_the_message_that_shows_a_token(running: Service) -> None:
    async with connect(running.ws_url + STREAM) as phone:
        await phone.send('{"type": "auth", "token": "whatever"}')
        await phone.send(frame(0))
        await acked(phone, 0)
