"""Limits: by device and by address, with a clock that is moved by hand; then over real doors."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from stream.access.throttle import Sender, Throttle
from stream.config import Config, Limits
from stream.errors import ConfigError, TooFastError
from stream.metrics import Metrics
from stream.service import Service
from tests.sensor_logger import entries, message, walk
from tests.shell.access import Keys, asking, bearer
from tests.shell.test_websocket import acked, close_code, frame, receive


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def throttle(clock: Clock, metrics: Metrics | None = None, **limits: object) -> Throttle:
    return Throttle(Limits(**limits), metrics or Metrics(), clock)  # type: ignore[arg-type]


def passed(limits: Throttle, sender: Sender, size: int = 0, tries: int = 1000) -> int:
    """Send messages until one is refused; return how many passed."""
    for number in range(tries):
        try:
            limits.message(sender, size)
        except TooFastError:
            return number
    return tries


def test_frames_bytes_and_samples_of_a_device(clock: Clock) -> None:
    limits = throttle(
        clock,
        burst_s=10.0,
        device_frames_per_s=5.0,
        device_bytes_per_s=100.0,
        device_samples_per_s=20.0,
    )
    assert passed(limits, Sender("mqtt", None, "a")) == 50
    assert passed(limits, Sender("mqtt", None, "b"), size=100) == 10
    sampling = Sender("mqtt", None, "c")
    limits.message(sampling, 10)
    limits.samples(sampling, 400)
    with pytest.raises(TooFastError, match=r"device_samples_per_s = 20 allows") as refused:
        limits.message(sampling, 10)
    assert refused.value.retry_after_s == pytest.approx(10.05)
    clock.now += refused.value.retry_after_s
    limits.message(sampling, 10)


def test_devices_of_one_address_share_its_limits(clock: Clock) -> None:
    limits = throttle(clock, burst_s=1.0, address_frames_per_s=30.0, device_frames_per_s=20.0)
    senders = [Sender("websocket", "10.0.0.7", f"d{number}") for number in range(5)]
    assert sum(passed(limits, sender) for sender in senders) == 30
    assert passed(limits, Sender("websocket", "10.0.0.8", "e")) == 20


def test_a_refused_message_costs_nothing_and_a_request_is_charged_once(clock: Clock) -> None:
    limits = throttle(clock, burst_s=1.0, address_frames_per_s=10.0, device_frames_per_s=1000.0)
    limits.message(Sender("http", "10.0.0.7"), 0)
    limits.message(Sender("http", "10.0.0.7", "a", requested=True), 50)
    assert passed(limits, Sender("http", "10.0.0.7")) == 9
    for _ in range(100):
        passed(limits, Sender("http", "10.0.0.7"))
    clock.now += 0.11
    assert passed(limits, Sender("http", "10.0.0.7")) == 1


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("127.0.0.1", None),
        ("127.8.8.8", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_places(clock: Clock, host: str, place: str | None) -> None:
    assert throttle(clock).place(host) == place


def test_wrong_tokens_lock_an_address_out_for_a_while(clock: Clock) -> None:
    metrics = Metrics()
    limits = throttle(clock, metrics, failed_logins_per_min=6.0)
    sender = Sender("http", "10.0.0.7")
    for _ in range(6):
        limits.login(sender)
        limits.failed(sender)
    with pytest.raises(TooFastError, match=r"failed_logins_per_min = 6"):
        limits.login(sender)
    limits.login(Sender("http", "10.0.0.8"))
    clock.now += 11
    limits.login(sender)
    assert b'turned_away_total{door="http",reason="logins"} 1.0' in metrics.render()


def test_connections_of_an_address(clock: Clock) -> None:
    limits = throttle(clock, address_connections=2)
    sender = Sender("websocket", "10.0.0.7")
    with limits.connected(sender):
        with (
            limits.connected(sender),
            limits.connected(Sender("websocket", "10.0.0.8")),
            pytest.raises(TooFastError, match="address_connections = 2"),
            limits.connected(sender),
        ):
            raise AssertionError("let in")
        with limits.connected(sender):
            pass


def test_what_is_remembered_is_bounded(clock: Clock) -> None:
    limits = throttle(clock, max_known=10)
    for number in range(1000):
        limits.message(Sender("websocket", f"10.0.{number // 250}.{number % 250}", f"d{number}"), 1)
    assert len(limits._devices) == len(limits._addresses) == 10


def test_a_wrong_network_is_the_operators_fault(clock: Clock) -> None:
    with pytest.raises(ConfigError, match=r"limits\.exempt = '10\.0\.0\.7/8'"):
        throttle(clock, exempt=("10.0.0.7/8",))


def test_2000_phones_behind_one_exempt_address_are_let_in(clock: Clock) -> None:
    limits = throttle(clock)
    sender = Sender("websocket", limits.place("127.0.0.1"))
    for _ in range(20_000):
        limits.message(sender, 1000)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "tokens.json")


@pytest.fixture
async def slow(config: Config, keys: Keys) -> AsyncIterator[Service]:
    """A service that takes five frames of a device, and hardly more."""
    limits = {"exempt": (), "burst_s": 5000.0, "device_frames_per_s": 0.001}
    async with asking(config, keys.path, **limits) as running:
        yield running


async def test_a_websocket_that_sends_too_much_is_closed_and_loses_nothing(
    slow: Service, keys: Keys
) -> None:
    url = f"{slow.ws_url}/v1/stream?device=pixel-7&session=s"
    headers = bearer(keys.device)
    async with connect(url, additional_headers=headers) as phone:
        for seq in range(6):
            await phone.send(frame(seq))
        await acked(phone, 4)
        error = await receive(phone, "error")
        assert (error["code"], "device_frames_per_s" in error["message"]) == ("overloaded", True)
        assert await close_code(phone) == 1013
    async with connect(url, additional_headers=headers) as phone:
        assert (await receive(phone, "welcome"))["next_seq"] == 5
    other = f"{slow.ws_url}/v1/stream?device=ann"
    async with connect(other, additional_headers=bearer(keys.other)) as phone:
        await phone.send(frame(0))
        await acked(phone, 0)


@pytest.mark.parametrize("path", ["/v1/frames?device=pixel-7", "/v1/sensor-logger"])
async def test_a_post_too_much_is_429(slow: Service, keys: Keys, path: str) -> None:
    pushing = message(0, entries(walk(1), "android"))
    async with httpx.AsyncClient(base_url=slow.http_url, headers=bearer(keys.device)) as client:
        for seq in range(5):
            body = frame(seq) if "frames" in path else pushing
            assert (await client.post(path, content=body)).status_code == 200
        answer = await client.post(path, content=frame(5) if "frames" in path else pushing)
        assert answer.status_code == 429
        assert 900 < int(answer.headers["retry-after"]) <= 1000
        assert answer.json()["code"] == "overloaded"
        admin = await client.get("/metrics", headers=bearer(keys.admin))
    assert 'gaitway_turned_away_total{door="http",reason="frames"} 1.0' in admin.text


async def test_wrong_tokens_are_429_in_the_end_and_so_are_right_ones(
    config: Config, keys: Keys
) -> None:
    limits = {"exempt": (), "failed_logins_per_min": 3.0}
    async with (
        asking(config, keys.path, **limits) as running,
        httpx.AsyncClient(base_url=running.http_url) as client,
    ):
        codes = [
            (await client.get("/v1/devices", headers=bearer(keys.revoked))).status_code
            for _ in range(5)
        ]
        assert codes == [401, 401, 401, 429, 429]
        assert (await client.get("/v1/devices", headers=bearer(keys.admin))).status_code == 429
        async with connect(
            f"{running.ws_url}/v1/events", additional_headers=bearer(keys.admin)
        ) as socket:
            assert await close_code(socket) == 1013


async def test_a_connection_too_many_is_closed(config: Config, keys: Keys) -> None:
    limits = {"exempt": (), "address_connections": 2}
    async with asking(config, keys.path, **limits) as running:
        url, headers = f"{running.ws_url}/v1/events", bearer(keys.admin)
        async with (
            connect(url, additional_headers=headers),
            connect(url, additional_headers=headers) as second,
        ):
            async with connect(url, additional_headers=headers) as third:
                assert await close_code(third) == 1013
            await second.close()
            async with connect(url, additional_headers=headers) as third:
                await third.send(json.dumps({"type": "nothing"}))
                assert third.close_code is None
