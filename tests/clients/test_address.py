"""URLs of servers and brokers, taken apart and put together."""

import pytest

from clients.address import MqttAddress, WebSocketAddress, parse
from stream.errors import ParameterError


@pytest.mark.parametrize(
    ("url", "stream"),
    [
        ("ws://h:1", "ws://h:1/v1/stream?device=a"),
        ("ws://h:1/", "ws://h:1/v1/stream?device=a"),
        ("wss://h/v1/events", "wss://h/v1/stream?device=a"),
        ("ws://h/v1/stream?device=b", "ws://h/v1/stream?device=a"),
        ("ws://h/behind/a/proxy", "ws://h/behind/a/proxy/v1/stream?device=a"),
    ],
)
def test_websocket_urls_get_the_protocols_paths(url: str, stream: str) -> None:
    address = parse(url)
    assert isinstance(address, WebSocketAddress)
    assert address.stream(device="a", session=None) == stream


def test_ids_stand_readable_in_a_query() -> None:
    address = parse("ws://h")
    assert isinstance(address, WebSocketAddress)
    url = address.events(device="a,b", since="a/S/3/ended")
    assert url == "ws://h/v1/events?device=a,b&since=a/S/3/ended"
    assert address.events(device=None) == "ws://h/v1/events"


def test_an_mqtt_url_holds_broker_user_and_base_topic() -> None:
    assert parse("mqtts://me:p%40ss@broker/home/gait") == MqttAddress(
        "broker", 8883, True, "me", "p@ss", "home/gait"
    )
    assert parse("mqtt://broker") == MqttAddress("broker", 1883, False, None, None, "gaitway")


def test_the_mqtt_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAITWAY_MQTT_PASSWORD", "secret")
    address = parse("mqtt://me@broker")
    assert address == MqttAddress("broker", 1883, False, "me", "secret", "gaitway")
    assert "secret" not in str(address)


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://h:1", "ws, wss, mqtt or mqtts is allowed, as in ws://127.0.0.1:8765"),
        ("h:8765", "is allowed"),
        ("ws://", "is allowed"),
        ("ws://h:99999", "Port out of range"),
        ("mqtt://h/a/+", "# and + are not allowed"),
    ],
)
def test_other_urls_are_refused(url: str, part: str) -> None:
    with pytest.raises(ParameterError, match=part.replace("+", r"\+")):
        parse(url)
