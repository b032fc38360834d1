"""What a server says, decoded into the structs of `stream.events`, and what a listener adds to it.

Sends nothing.
"""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from clients.errors import NonsenseError
from stream.events import (
    Ack,
    Ended,
    Error,
    Missed,
    Prediction,
    Quality,
    Started,
    State,
    Status,
    Waveform,
    Welcome,
)
from stream.malformed import explain


class Other(msgspec.Struct, frozen=True):
    """A message of a type that this version doesn't know; `fields` holds all of it."""

    type: str
    fields: dict[str, Any]


Message = (
    Welcome
    | Ack
    | Prediction
    | Started
    | Ended
    | Quality
    | Waveform
    | Error
    | Status
    | State
    | Missed
    | Other
)


class Lost(NamedTuple):
    """The connection broke, and is being made again."""

    address: str
    time: datetime


class Back(NamedTuple):
    """The connection stands again."""

    address: str
    time: datetime


Heard = Message | Lost | Back


class _Kind(msgspec.Struct):
    type: str
    event: str = ""


_kind = msgspec.json.Decoder(_Kind)
_PLAIN = (Welcome, Ack, Prediction, Quality, Waveform, Error, Status, State, Missed)
_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    **{str(kind.__struct_config__.tag): msgspec.json.Decoder(kind) for kind in _PLAIN},
    "activity/started": msgspec.json.Decoder(Started),
    "activity/ended": msgspec.json.Decoder(Ended),
}


def decode(payload: str | bytes) -> Message:
    """Read one message; raises NonsenseError where it is none or a field is wrong."""
    try:
        kind = _kind.decode(payload)
        name = f"{kind.type}/{kind.event}" if kind.event else kind.type
        decoder = _decoders.get(name)
        if decoder is None:
            return Other(kind.type, msgspec.json.decode(payload))
        message: Message = decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NonsenseError(
            f"the server sent no message: {explain(error)}: {payload[:80]!r}"
        ) from error
    return message
