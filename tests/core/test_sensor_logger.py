"""Sensor Logger's messages: golden ones, a real one, and nonsense."""

import json
import os
import random
from contextlib import suppress
from pathlib import Path

import pytest

from stream.config import Wire
from stream.errors import DeviceError
from stream.sensor_apps.dialects.dialect import valid_id
from stream.sensor_apps.dialects.sensor_logger import owner, read
from stream.sensor_apps.readings import Reading
from stream.wire import check_id
from tests.sensor_logger import entry, message

GOLDEN = Path(__file__).parents[1] / "data" / "sensor-logger"
REAL = Path(os.environ.get("GAITWAY_DATA", "nowhere")) / "sensor-logger" / "push-message.json"


def test_an_iphone() -> None:
    push = read((GOLDEN / "iphone.json").read_bytes(), Wire())
    assert (push.device, push.session, push.number) == (
        "77aa-10-4c-b2-0d1e",
        "1b2c-33-4d-a1-90fe",
        0,
    )
    assert push.readings == [
        Reading("gravity", float(1716760513715797500), (0.31, -0.92, -9.71)),
        Reading("linear", float(1716760513715797500), (0.33, -0.22, 0.11)),
        Reading("gravity", float(1716760513725797376), (0.32, -0.93, -9.70)),
        Reading("linear", float(1716760513725797376), (0.34, -0.21, 0.12)),
    ]
    assert push.other == 4


def test_an_android_phone_with_a_name_that_is_no_id() -> None:
    push = read((GOLDEN / "android.json").read_bytes(), Wire())
    assert push.device == valid_id("Ann's phone") == check_id("device", push.device)
    assert push.device.startswith("Ann-s-phone-")
    assert [r.xyz for r in push.readings] == [(0.5, 1.25, 9.5), (0.25, 1.5, 9.75)]


def test_uncalibrated() -> None:
    push = read((GOLDEN / "uncalibrated.json").read_bytes(), Wire())
    assert push.readings == [Reading("raw", float(1675649057981134600), (-0.81, 0.0, -0.58))]


def test_the_test_push() -> None:
    assert read((GOLDEN / "test.json").read_bytes(), Wire()).test
    assert read(b'{"payload": [{"name": "test"}]}', Wire()).test


@pytest.mark.parametrize(
    ("about", "entry"),
    [
        ('"messageId": "5"', ""),
        ('"sessionId": null, "deviceId": 3', ""),
        ('"messageId": 0', ', "time": "now"'),
        ('"messageId": 0', ', "time": null, "values": 3'),
    ],
)
def test_a_test_push_need_not_make_sense(about: str, entry: str) -> None:
    assert read(f'{{{about}, "payload": [{{"name": "test"{entry}}}]}}'.encode(), Wire()).test


def test_what_only_has_the_word_is_no_test() -> None:
    noted = {"name": "annotation", "time": 1, "values": {"text": "test"}}
    assert not read(message(0, [noted, entry("gravity", 1e18, (0, 0, 9))]), Wire()).test
    with pytest.raises(DeviceError, match="messageId"):
        read(b'{"messageId": "test", "payload": []}', Wire())


@pytest.mark.skipif(not REAL.exists(), reason="needs GAITWAY_DATA")
def test_a_real_message() -> None:
    push = read(REAL.read_bytes(), Wire())
    assert (push.device, push.session, push.number) == (
        "62be-97-4f-a7-e06b",
        "c5ae-60-4-95-1917",
        46,
    )
    assert {r.kind for r in push.readings} == {"linear", "gravity", "raw"}
    assert push.other == 9


@pytest.mark.parametrize("name", ["Ann's phone", "ü", "-x", "a" * 65, "a b", "a\n", ".", "\u0000"])
def test_any_name_becomes_a_valid_id_of_its_own(name: str) -> None:
    assert valid_id(name) == valid_id(name) == check_id("device", valid_id(name))
    assert valid_id(name) != valid_id(name + "x")


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        (b"", "not a message of Sensor Logger"),
        (b"[]", "an object is needed"),
        (b'{"payload": 3}', "payload"),
        (b'{"messageId": 9223372036854775808, "payload": []}', "messageId"),
        (b'{"payload": [{}]}', "name is missing"),
        (b'{"deviceId": 3, "payload": []}', "deviceId"),
        (b'{"payload": [{"name": "gravity", "values": {"x": 1, "y": 2, "z": 3}}]}', "time = None"),
        (message(0, [entry("gravity", 10**21, (0, 0, 0))]), "time = 1e+21"),
        (message(0, [entry("gravity", 1e18, (0, 0, 400))]), "±40 g"),
        (message(0, [{"name": "gravity", "time": 1, "values": [1, 2, 3]}]), "not x, y, z"),
        (message(0, [{"name": "gravity", "time": 1}]), "not x, y, z"),
        (b" " * 5_000_000, "longer than 4194304 bytes: set a shorter batch period"),
    ],
)
def test_nonsense_is_named(payload: bytes, word: str) -> None:
    with pytest.raises(DeviceError, match=word.replace("+", r"\+")):
        read(payload, Wire())


def mutated(source: random.Random) -> bytes:
    """Spoil a golden message at random places."""
    name = source.choice(["iphone", "android", "uncalibrated"])
    body = bytearray((GOLDEN / f"{name}.json").read_bytes())
    for _ in range(source.randint(1, 6)):
        i = source.randrange(len(body))
        new = source.choice([b"", b"9e999", b"null", b"{", b'"', bytes([source.randrange(256)])])
        body[i : i + source.choice([0, 1, 20])] = new
    return bytes(body)


def test_spoilt_messages_are_read_or_refused() -> None:
    for seed in range(500):
        payload = mutated(random.Random(seed))
        owner(payload)
        with suppress(DeviceError):  # and nothing else
            push = read(payload, Wire())
            assert push.device == valid_id(push.device)


def test_the_owner_of_nonsense() -> None:
    assert owner(json.dumps({"deviceId": "b1", "payload": 3}).encode()) == "b1"
    assert owner(b"junk") == owner(b'{"deviceId": 3}') == owner(b"{}") == ""
