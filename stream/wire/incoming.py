"""What devices send: frames, and between them labels. Knows no session and no socket.

A label is ground truth that the device's owner gives. It is numbered, kept and acked like a frame.
"""

import re
from typing import NamedTuple

import msgspec
import numpy as np

from stream import wire
from stream.config import Wire
from stream.errors import DeviceError
from stream.malformed import MALFORMED, explain
from stream.wire import NOTHING_TOLD, Frame, Source, Told, check_session
from stream.wire.limits import check_seq, check_times

MAX_LABEL = 40  # characters
_LABEL = re.compile(rf"[^\W\d_](?:[\w -]{{0,{MAX_LABEL - 2}}}\w)?")  # no comma, quote or line end


class Label(NamedTuple):
    """From device time `t` on the device does this, until another label says otherwise."""

    seq: int | None
    t: float | None  # s; None: from the next sample on
    label: str | None  # None: nothing that is to be recorded
    session: str | None = None


class _TextLabel(msgspec.Struct, omit_defaults=True, tag_field="type", tag="label"):
    label: str | None
    seq: int | None = None
    t: float | None = None
    session: str | None = None


class _Kind(msgspec.Struct):
    type: object = None


FIELDS = _TextLabel.__struct_fields__
_label = msgspec.json.Decoder(_TextLabel)
_kind = msgspec.json.Decoder(_Kind)


def decode(
    payload: str | bytes, source: Source, limits: Wire, *, text: bool, told: Told = NOTHING_TOLD
) -> Frame | Label:
    """Read one message as `wire.decode` reads a frame, or a label; raises DeviceError."""
    try:
        return wire.decode(payload, source, limits, text=text, told=told)
    except DeviceError as error:  # so that frames, which are nearly all, are read but once
        if not text or len(payload) > limits.max_frame_bytes or not _is_label(payload):
            raise
        return _decode_label(payload, error.seq)


def count(message: Frame | Label) -> int:
    """Return how many samples a message holds."""
    return 0 if isinstance(message, Label) else len(message.xyz)


def encode_label(label: Label) -> bytes:
    """Write a label as JSON: what a client sends."""
    return msgspec.json.encode(_TextLabel(label.label, label.seq, label.t, label.session))


def check_label(label: str | None, seq: int | None = None) -> str | None:
    """Return a label that can be recorded as it is; raises DeviceError."""
    if label is not None and not _LABEL.fullmatch(label):
        raise DeviceError(
            f"label {label[:80]!r}: 1 to {MAX_LABEL} letters, digits, spaces, _ and - are allowed, "
            "beginning with a letter, and null, which ends one",
            seq,
        )
    return label


def _is_label(payload: str | bytes) -> bool:
    try:
        return bool(_kind.decode(payload).type == "label")
    except MALFORMED:
        return False


def _decode_label(payload: str | bytes, seq: int | None) -> Label:
    try:
        raw = _label.decode(payload)
    except MALFORMED as error:
        raise DeviceError(f"not a label: {explain(error)}", seq) from error
    check_seq(raw.seq)
    check_label(raw.label, seq)
    if raw.t is not None:
        check_times(np.array([raw.t]), seq)
    if raw.session is not None:
        check_session(raw.session, seq)
    return Label(raw.seq, raw.t, raw.label, raw.session)
