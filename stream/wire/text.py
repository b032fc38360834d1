"""How a frame is written as JSON, both ways, and what can be told of text that is no frame.

What the numbers mean, and whether they may be so, is `wire`'s affair.
"""

import re
from typing import Any, Literal, get_args

import msgspec

from stream.errors import DeviceError
from stream.malformed import MALFORMED, Fault
from stream.malformed import explain as in_words
from stream.wire.limits import MAX_SEQ

_SEQ = re.compile(r'"seq"\s*:\s*(\d{1,10})\s*[,}]')

Units = Literal["m/s2", "g"]
Axes = Literal["android", "ios"]
Gravity = Literal["included", "beside"]
Vector = tuple[float, float, float]


class TextFrame(msgspec.Struct, omit_defaults=True, tag_field="type", tag="samples"):
    """A frame as JSON."""

    xyz: list[Vector]
    seq: int | None = None
    t: list[float] | None = None
    t0: float | None = None
    rate_hz: float | None = None
    gravity: list[Vector] | None = None
    units: Units | None = None
    axes: Axes | None = None
    session: str | None = None


class _Envelope(msgspec.Struct):
    type: Any = None
    seq: Any = None
    session: Any = None
    token: Any = None


_text = msgspec.json.Decoder(TextFrame)
_envelope = msgspec.json.Decoder(_Envelope)
_ALLOWED = {
    "type": ("samples", "label"),
    "units": get_args(Units),
    "axes": get_args(Axes),
    "gravity": get_args(Gravity),
}


def read_text(payload: str | bytes) -> TextFrame:
    """Take a frame apart; raises DeviceError, with the frame's seq where it could be read."""
    try:
        return _text.decode(payload)
    except MALFORMED as error:
        raise DeviceError(f"not a frame: {explain(error)}", seq_of_text(payload)) from error


def encode_text(frame: TextFrame) -> bytes:
    """Write a frame as JSON: what a client sends."""
    return msgspec.json.encode(frame)


def is_auth(payload: str) -> bool:
    """Whether a text message is the `auth` message rather than a frame."""
    try:
        return bool(_envelope.decode(payload).type == "auth")
    except MALFORMED:
        return False


def shown_token(payload: str) -> str | None:
    """Return the token of an `auth` message; None for an empty one, and other text."""
    try:
        envelope = _envelope.decode(payload)
    except MALFORMED:
        return None
    shown = envelope.type == "auth" and isinstance(envelope.token, str)
    return envelope.token or None if shown else None


def named_session(payload: bytes) -> str | None:
    """Return what a message, nonsense perhaps, says in the place of its session's id."""
    try:
        session = _envelope.decode(payload).session
    except MALFORMED:
        return None
    return session if isinstance(session, str) else None


def explain(error: BaseException) -> str:
    """Say what is wrong with a frame, and what an option of it may be."""
    fault = with_allowed(in_words(error))
    return f"{fault.where} = {fault.value}: {fault.what}" if fault.value else str(fault)


def with_allowed(fault: Fault) -> Fault:
    """Add what is allowed, where a value is none of several words."""
    allowed = " or ".join(_ALLOWED.get(fault.where, ())) if fault.value else ""
    return fault._replace(what=f"{allowed} is allowed") if allowed else fault


def seq_of_text(payload: str | bytes) -> int | None:
    """Find the seq of a frame that may be nonsense, no JSON even, so that it can be acked."""
    try:
        seq = _envelope.decode(payload).seq
    except MALFORMED:
        found = _SEQ.search(payload if isinstance(payload, str) else payload.decode("latin-1"))
        seq = int(found[1]) if found else None
    return seq if type(seq) is int and 0 <= seq <= MAX_SEQ else None
