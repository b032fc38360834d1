"""SensorServer's messages: golden ones, and nonsense."""

import json
import random
from contextlib import suppress
from pathlib import Path

import pytest

from stream.config import Wire
from stream.errors import DeviceError
from stream.sensor_apps.dialects.sensor_server import CLOSED, read
from stream.sensor_apps.readings import Reading

GOLDEN = Path(__file__).parents[1] / "data" / "sensor-server"


def test_one_sensor() -> None:
    push = read((GOLDEN / "one.json").read_bytes(), Wire())
    assert push.readings == [Reading("total", 1734000123456789.0, (0.25, 4.375, 8.75))]
    assert (push.device, push.session, push.other) == ("", None, 0)


def test_one_of_several_sensors() -> None:
    push = read((GOLDEN / "several.json").read_bytes(), Wire())
    assert push.readings == [Reading("total", 3925657519043709.0, (-0.5, 6.125, 7.25))]


def test_another_sensor_is_only_counted() -> None:
    push = read((GOLDEN / "gyroscope.json").read_bytes(), Wire())
    assert (push.readings, push.other) == ([], 1)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not a message of SensorServer"),
        (b"hello", "not a message of SensorServer"),
        (b"[]", "not a message of SensorServer"),
        (b'{"timestamp": 1}', "values is missing"),
        (b'{"values": [1, 2, 3]}', "timestamp is missing"),
        (b'{"values": [1, 2], "timestamp": 1}', "values are not x, y, z"),
        (b'{"values": [1, 2, null], "timestamp": 1}', "values are not x, y, z"),
        (b'{"values": [1, 2, 3, 4], "timestamp": 1}', "values are not x, y, z"),
        (b'{"values": [1, 2, 999], "timestamp": 1}', "within \u00b140 g is allowed"),
        (b'{"values": [1, 2, 3], "timestamp": "1"}', "a whole number is needed"),
        (b'{"values": [1, 2, 3], "timestamp": 1' + b"0" * 30 + b"}", "timestamp"),
        (b'{"values": [1, 2, 3], "timestamp": 1' + b"0" * 400 + b"}", "timestamp"),
        (b'{"values": [1, 2, 3], "timestamp": 1, "type": 7}', "text is needed"),
        (b" " * 2_000_000, "2000000 bytes: a message has at most 1048576"),
    ],
)
def test_nonsense_is_refused_with_a_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(DeviceError, match=reason):
        read(payload, Wire())


def test_every_close_code_of_the_app_says_what_to_do() -> None:
    assert sorted(CLOSED) == list(range(4001, 4010))
    assert all(len(todo) > 30 and todo[0].islower() for todo in CLOSED.values())


def mutated(seed: int, name: str = "several.json", folder: Path = GOLDEN) -> bytes:
    """Spoil a golden message, always the same way for the same seed."""
    chance = random.Random(seed)
    payload = bytearray((folder / name).read_bytes())
    for _ in range(chance.randint(1, 8)):
        where = chance.randrange(len(payload) or 1)
        match chance.randrange(4):
            case 0:
                payload[where : where + 1] = chance.randbytes(1)
            case 1:
                del payload[where : where + chance.randint(1, 40)]
            case 2:
                payload[where:where] = chance.choice([b"null", b"1e400", b'"', b"{", b"\xff", b"-"])
            case _:
                payload = payload[: where + 1]
    return bytes(payload)


@pytest.mark.parametrize("start", range(0, 2000, 500))
def test_nothing_but_a_device_error_comes_of_nonsense(start: int) -> None:
    refused = 0
    for seed in range(start, start + 500):
        with suppress(DeviceError):
            read(mutated(seed), Wire())
            continue
        refused += 1
    assert refused > 250


def test_what_is_golden_is_json() -> None:
    assert all(json.loads(path.read_text()) for path in GOLDEN.iterdir())
