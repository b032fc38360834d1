"""What strangers' bytes meet first, one function each: they are read, or refused as nonsense."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import product
from typing import get_args

from stream import wire
from stream.config import Wire
from stream.errors import DeviceError
from stream.sensor_apps import dialects
from stream.sensor_apps.dialects import phyphox
from stream.sensor_apps.dialects.dialect import Dialect
from stream.sensor_apps.intake import Intake
from stream.sensor_apps.splitter import Splitter
from stream.wire import NOTHING_TOLD, Source, incoming
from stream.wire.text import Axes, Gravity, Units, is_auth, shown_token

LIMITS = Wire()
SOURCES = [Source(*meant) for meant in product(get_args(Units), get_args(Axes), get_args(Gravity))]

Target = Callable[[bytes], None]


def binary(data: bytes) -> None:
    """A binary frame; the first byte says how the connection means its numbers."""
    source, payload = _chosen(data)
    wire.place_of(payload)
    with suppress(DeviceError):
        wire.decode(payload, source, LIMITS, text=False)


def text(data: bytes) -> None:
    """A text frame, as `str` and as bytes, which must come out the same."""
    source, payload = _chosen(data)
    wire.place_of(payload)
    words = payload.decode("utf-8", "ignore")
    is_auth(words)
    shown_token(words)
    with suppress(DeviceError):
        wire.decode(words, source, LIMITS, text=True)
    with suppress(DeviceError):
        wire.decode(payload, source, LIMITS, text=True)


def labelled(data: bytes) -> None:
    """What comes by POST and MQTT: a frame or a label, of which nothing is known."""
    source, payload = _chosen(data)
    with suppress(DeviceError):
        found = incoming.decode(
            payload, source, LIMITS, text=wire.looks_like_text(payload), told=NOTHING_TOLD
        )
        assert incoming.count(found) <= LIMITS.max_samples


def message(dialect: Dialect, data: bytes) -> None:
    """One message of an app, and the frame that comes of it."""
    dialect.owner(data)
    intake = Intake("a", dialect, LIMITS.max_g)
    with suppress(DeviceError):
        push = dialect.read(data, LIMITS)
        dialect.lacks(push, 10.0)
        intake.feed(push, NOTHING_TOLD)
        intake.feed(push, NOTHING_TOLD)  # once more: its session goes on


def connection(dialect: Dialect, data: bytes) -> None:
    """What an app sends by TCP, cut anywhere; the first byte says where."""
    whole, pieces = Splitter(dialect.message, 4096), Splitter(dialect.message, 4096)
    step = data[0] + 1 if data else 1
    stream = data[1:]
    found = [one for i in range(0, len(stream), step) for one in pieces.feed(stream[i : i + step])]
    assert found == whole.feed(stream) or whole.overlong
    for one in found:
        message(dialect, one)


def answer(data: bytes) -> None:
    """What a phone that runs phyphox answers."""
    with suppress(DeviceError):
        phyphox.Cursor().feed(phyphox.decode(data, LIMITS))
    message(phyphox.DIALECT, data)


def _chosen(data: bytes) -> tuple[Source, bytes]:
    return SOURCES[data[0] % len(SOURCES) if data else 0], data[1:]


TARGETS: dict[str, Target] = {
    "wire-binary": binary,
    "wire-text": text,
    "wire-incoming": labelled,
    **{name: partial(message, dialect) for name, dialect in dialects.BY_NAME.items()},
    **{f"{one.name}-tcp": partial(connection, one) for one in dialects.CONNECTING},
    "phyphox": answer,
}
