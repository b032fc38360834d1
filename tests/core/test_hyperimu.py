"""HyperIMU's objects and lines: golden ones, and nonsense."""

import random
from contextlib import suppress

import pytest

from stream.config import Wire
from stream.errors import DeviceError
from stream.sensor_apps.dialects import hyperimu
from stream.sensor_apps.dialects.hyperimu import kind_of, read
from stream.sensor_apps.readings import Reading
from stream.sensor_apps.splitter import Splitter
from tests.sensor_apps import GOLDEN, mutated

FILES = ("objects.json", "lines.csv", "hash.csv")
MESSAGES = {
    name: Splitter(hyperimu.MESSAGE, 16_384).feed((GOLDEN / "hyperimu" / name).read_bytes())
    for name in FILES
}


@pytest.mark.parametrize("name", FILES)
def test_every_way_to_write_it_says_the_same(name: str) -> None:
    pushes = [read(message, Wire()) for message in MESSAGES[name]]
    assert [reading for push in pushes for reading in push.readings] == [
        Reading("total", 1518819953744.0, (0.09279, 0.148, 9.81)),
        Reading("total", 1518819953764.0, (0.1, -4.4906617e-4, 9.79)),
    ]
    assert {(push.device, push.session, push.number) for push in pushes} == {("", None, 0)}


def test_other_sensors_are_counted() -> None:
    assert [read(message, Wire()).other for message in MESSAGES["objects.json"]] == [2, 2]
    assert [read(message, Wire()).other for message in MESSAGES["lines.csv"]] == [1, 1]


@pytest.mark.parametrize(
    ("sensor", "kind"),
    [
        ("Accelerometer", "total"),
        ("LSM6DSO Accelerometer Non-wakeup", "total"),
        ("BMI160 ACCELEROMETER Uncalibrated", "raw"),
        ("Linear Acceleration", "linear"),
        ("MPL_Linear_Acceleration", "linear"),
        ("Gravity Sensor", "gravity"),
        ("MPL_Gyroscope", None),
        ("GPS", None),
    ],
)
def test_kinds_are_told_by_the_makers_names(sensor: str, kind: str | None) -> None:
    assert kind_of(sensor) == kind


def test_of_several_accelerometers_the_first_counts() -> None:
    message = b'{"Timestamp":1518819953744,"accel A":[1,2,3],"accel B":[4,5,6],"gravity":[7,8,9]}'
    assert [(r.kind, r.xyz) for r in read(message, Wire()).readings] == [
        ("total", (1, 2, 3)),
        ("gravity", (7, 8, 9)),
    ]


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (b"{", "not an object of HyperIMU"),
        (b'{"Accelerometer":[1,2,3]}', "Timestamp: time = None: milliseconds since 1970"),
        (b'{"Timestamp":1e21,"Accelerometer":[1,2,3]}', "time = 1e+21"),
        (b'{"Timestamp":"now","Accelerometer":[1,2,3]}', "a number or null is needed"),
        (b'{"Timestamp":1518819953744,"Accelerometer":[1,2]}', "length 3"),
        (b'{"Timestamp":1518819953744,"Accelerometer":[1,2,400]}', "±40 g"),
        (b"", "begins with the time and x, y, z"),
        (b"GET / HTTP/1.1\r", "begins with the time and x, y, z"),
        (b"1518819953744,1,2\r", "begins with the time and x, y, z"),
        (
            b"timestamp,MPL_Accelerometer.x,MPL_Accelerometer.y,MPL_Accelerometer.z",
            "begins with the time",
        ),
        ("1518819953744,1,2,३".encode(), "begins with the time"),
        (b"0.1,9.8,0.3,1,2,3\r", "begins with 0.1: in HyperIMU, switch on the timestamp"),
        (b"nan,9.8,0.3,1\r", "begins with nan"),
        (b"inf,9.8,0.3,1\r", "time = inf"),
        (b"1518819953744,1,nan,3\r", "finite and within"),
        (b"1518819953744,1,2,1e4\r", "finite and within"),
    ],
)
def test_nonsense_is_named(message: bytes, word: str) -> None:
    with pytest.raises(DeviceError, match=word.replace("+", r"\+").replace("|", r"\|")):
        read(message, Wire())


def test_spoilt_messages_are_read_or_refused() -> None:
    for seed in range(500):
        spoilt = mutated(random.Random(seed), *(f"hyperimu/{name}" for name in FILES))
        for message in Splitter(hyperimu.MESSAGE, 16_384).feed(spoilt + b"\n"):
            with suppress(DeviceError):  # and nothing else
                read(message, Wire())
