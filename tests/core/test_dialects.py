"""Whatever stands in a message of any app, it is read, or refused as nonsense: nothing else."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from stream.config import Wire
from stream.errors import DeviceError
from stream.sensor_apps.dialects import BY_NAME
from stream.sensor_apps.dialects.dialect import LINE, Dialect
from stream.sensor_apps.dialects.phyphox import Cursor, decode
from stream.sensor_apps.intake import Intake
from stream.wire import NOTHING_TOLD
from tests.core.streams import fake_probabilities, session

DATA = Path(__file__).parents[1] / "data"
DEEP = 10_000
KEY_OR_VALUE = re.compile(rb'"[^"]*"\s*:|(-?\d[\d.eE+-]*|"[^"]*"|\b(?:true|false|null)\b)')
NUMBERS = [
    b"%d" % number
    for power in (31, 32, 53, 63, 64, 127)
    for number in (2**power - 1, 2**power, -(2**power), -(2**power) - 1)
]
HOSTILE = [
    *NUMBERS,
    *(sign + b"1" + b"0" * zeros for sign in (b"", b"-") for zeros in (11, 20, 30, 308, 400, 5000)),
    *(b"1e11", b"1e20", b"1e308", b"-1e308", b"1e400", b"-1e400", b"1e-400", b"-0", b"-0.0"),
    *(b"NaN", b"nan", b"Infinity", b"-Infinity", b"inf", b"-inf", b"1_000", b"0x10"),
    *(b"null", b"true", b'""', b'"\\ud800"', b'"\xff"', b'"\x00"', b"[]", b"{}", b"[[]]", b""),
    *(b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b"[" * DEEP, b"\xd9\xa3"),
]


def golden(dialect: Dialect) -> Iterator[bytes]:
    """Yield what the app sends, message by message."""
    for path in sorted((DATA / dialect.name).iterdir()):
        body = path.read_bytes()
        cut = dialect.message is not LINE or path.name == "packets.json"
        yield from (found[0] for found in dialect.message.finditer(body)) if cut else (body,)


def spoiled(dialect: Dialect) -> Iterator[bytes]:
    """Yield each golden message with each of its values replaced, and what is no message."""
    for message in {*golden(dialect)}:
        for value in filter(lambda found: found[1], KEY_OR_VALUE.finditer(message)):
            for hostile in HOSTILE:
                yield message[: value.start()] + hostile + message[value.end() :]
    for hostile in HOSTILE:
        yield from (hostile, b'{"a":' + hostile + b"}", b"[" + hostile + b"]", hostile + b",1,2,3")


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_nothing_but_a_device_error_comes_of_any_value(name: str) -> None:
    dialect, read, refused = BY_NAME[name], 0, 0
    intake, live = Intake("a", dialect, 40.0), session()
    for payload in spoiled(dialect):
        dialect.owner(payload)
        try:
            push = dialect.read(payload, Wire())
            read += 1
            frame = intake.feed(push, NOTHING_TOLD)
            for window in live.feed(frame) if frame is not None else []:
                live.decide(live.predict(window, fake_probabilities(window)))
        except DeviceError:
            refused += 1
    live.close()
    assert min(read, refused) > 100


def test_phyphox_is_asked_on_after_any_answer() -> None:
    cursor = Cursor()
    for payload in spoiled(BY_NAME["phyphox"]):
        with suppress(DeviceError):
            cursor.feed(decode(payload, Wire()))
        assert cursor.query()
