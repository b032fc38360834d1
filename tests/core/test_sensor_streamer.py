"""SensorStreamer's packets: golden ones, and nonsense."""

import random
from contextlib import suppress

import pytest

from stream.config import Wire
from stream.errors import DeviceError
from stream.sensor_apps.dialects.sensor_streamer import read
from stream.sensor_apps.readings import Reading
from tests.sensor_apps import GOLDEN, mutated

FOLDER = GOLDEN / "sensor-streamer"


def test_packets() -> None:
    pushes = [read(line, Wire()) for line in (FOLDER / "packets.json").read_bytes().splitlines()]
    assert [push.readings for push in pushes] == [
        [Reading("total", 48211356104938.0, (0.31, -0.92, 9.71))],
        [Reading("total", 48211366104938.0, (0.32, -0.93, 9.7))],
    ]
    assert [(push.device, push.session, push.other) for push in pushes] == [("", None, 2)] * 2


def test_gravity_apart() -> None:
    assert read((FOLDER / "apart.json").read_bytes(), Wire()).readings == [
        Reading("linear", 48211356104938.0, (0.33, -0.22, 0.11)),
        Reading("gravity", 48211356104938.0, (0.31, -0.92, 9.71)),
    ]


def test_a_packet_without_acceleration() -> None:
    push = read(b'{"light":{"value":118.0,"timestamp":1}}\n', Wire())
    assert (push.readings, push.other) == ([], 1)


@pytest.mark.parametrize(
    ("packet", "word"),
    [
        (b"\n", "not a JSON packet of SensorStreamer"),
        (b"[]", "an object is needed"),
        (b"\x80\x00\x00\x01junk\n", "not a JSON packet of SensorStreamer"),
        (b'{"accelerometer":[1,2,3]}', "an object is needed"),
        (b'{"accelerometer":{"value":1.0,"timestamp":1}}', "a list is needed"),
        (b'{"accelerometer":{"value":[1,2],"timestamp":1}}', "length 3"),
        (b'{"accelerometer":{"timestamp":1}}', "value is missing"),
        (b'{"accelerometer":{"value":[1,2,3]}}', "time = None: nanoseconds since the phone"),
        (b'{"accelerometer":{"value":[1,2,3],"timestamp":1e21}}', "nanoseconds since"),
        (b'{"gravity":{"value":[1,2,400],"timestamp":1}}', "±40 g"),
    ],
)
def test_nonsense_is_named(packet: bytes, word: str) -> None:
    with pytest.raises(DeviceError, match=word):
        read(packet, Wire())


def test_spoilt_packets_are_read_or_refused() -> None:
    for seed in range(500):
        spoilt = mutated(random.Random(seed), "sensor-streamer/packets.json")
        for line in spoilt.splitlines():
            with suppress(DeviceError):  # and nothing else
                read(line, Wire())
