"""A stream of bytes is cut into the same messages, however it comes in pieces."""

import random
import re

import numpy as np
import pytest

from stream.sensor_apps.dialects.dialect import LINE
from stream.sensor_apps.dialects.hyperimu import MESSAGE
from stream.sensor_apps.splitter import Splitter
from tests.sensor_apps import hyperimu_csv, hyperimu_json, sensor_streamer

XYZ = np.random.default_rng(0).normal(0, 3, (40, 3))
HASHED = [line.replace(b"\r\n", b"#") for line in hyperimu_csv(XYZ)]


def in_pieces(stream: bytes, message: re.Pattern[bytes], source: random.Random) -> list[bytes]:
    splitter, found = Splitter(message, 16_384), []
    while stream:
        n = source.choice([1, 2, 7, 80, 1000])
        found += splitter.feed(stream[:n])
        stream = stream[n:]
    assert not splitter.overlong
    return found


@pytest.mark.parametrize(
    ("messages", "pattern"),
    [
        (sensor_streamer(XYZ), LINE),
        (hyperimu_json(XYZ), MESSAGE),
        (hyperimu_csv(XYZ), MESSAGE),
        (HASHED, MESSAGE),
        (hyperimu_json(XYZ)[:3] + hyperimu_csv(XYZ)[:3] + hyperimu_json(XYZ)[:3], MESSAGE),
    ],
)
def test_pieces_change_nothing(messages: list[bytes], pattern: re.Pattern[bytes]) -> None:
    for seed in range(200):
        found = in_pieces(b"".join(messages), pattern, random.Random(seed))
        assert [m.strip() for m in found] == [m.strip() for m in messages]


def test_objects_may_be_spread_over_lines_and_apart() -> None:
    spread = b'\r\n{\n "Timestamp": 1\n}\r\n\r\n {"Timestamp": 2}\n'
    assert in_pieces(spread, MESSAGE, random.Random(0)) == [
        b'{\n "Timestamp": 1\n}',
        b'{"Timestamp": 2}',
    ]


def test_what_stands_before_an_object_is_a_message_too() -> None:
    assert in_pieces(b'junk}{"a": 1}', MESSAGE, random.Random(0)) == [b"junk}", b'{"a": 1}']


def test_the_beginning_of_a_message_is_none() -> None:
    splitter = Splitter(MESSAGE, 16_384)
    assert splitter.feed(b'{"a": 1') == splitter.feed(b"") == []
    assert splitter.feed(b"}") == [b'{"a": 1}']


@pytest.mark.parametrize("size", [1, 7, 5000])
@pytest.mark.parametrize("tail", [b"", b"\n"])
def test_a_message_that_is_too_long_ends_it(size: int, tail: bytes) -> None:
    stream = b"fits\n" + b"x" * 1000 + tail + b"more\n"
    splitter, found = Splitter(LINE, 100), []
    for i in range(0, len(stream), size):
        found += splitter.feed(stream[i : i + size])
    assert found == [b"fits\n"]
    assert splitter.overlong


@pytest.mark.parametrize("pattern", [LINE, MESSAGE])
@pytest.mark.parametrize("unit", [b"{", b"}", b"a", b"#", b"\n", b"a{", b"{}", b"\r\n"])
def test_hostile_bytes_take_no_more_than_their_time(
    unit: bytes, pattern: re.Pattern[bytes]
) -> None:
    """A pattern that tries every beginning would take minutes here."""
    Splitter(pattern, 2_000_000).feed(unit * 500_000)
