"""Frames as devices send them: bytes in, checked samples out. Knows no session and no socket.

Both encodings of `docs/protocol.md` come out the same: m/s² with gravity, Android's sign. How they
are written is in `wire.text` and `wire.binary`.
"""

import re
from collections.abc import Iterable, Sequence
from math import isnan
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream import malformed
from stream.config import ID, Wire
from stream.errors import DeviceError, ParameterError
from stream.wire.binary import VERSION, read_binary, seq_of_binary
from stream.wire.limits import (
    MAX_RATE_HZ,
    MIN_RATE_HZ,
    STANDARD_GRAVITY,
    check_count,
    check_rate,
    check_samples,
    check_seq,
    check_times,
)
from stream.wire.text import (
    Axes,
    Gravity,
    TextFrame,
    Units,
    named_session,
    read_text,
    seq_of_text,
    with_allowed,
)

_ID = re.compile(ID)
OF_STREAM = ("device", "session", "since", "units", "axes", "gravity", "rate_hz")  # in its query

Vectors = NDArray[np.float64]  # (n, 3)
Times = NDArray[np.float64]  # (n,) device time in s


class Source(msgspec.Struct, frozen=True):
    """How a device's numbers are meant where its frames don't say."""

    units: Units = "m/s2"
    axes: Axes = "android"
    gravity: Gravity = "included"
    rate_hz: float = 20.0


class Told(msgspec.Struct, frozen=True):
    """What is known of a device's numbers besides its messages; it counts more than they do."""

    units: Units | None = None
    axes: Axes | None = None
    why: str = ""  # as in "config.toml says so"


NOTHING_TOLD = Told()


class Frame(NamedTuple):
    """One message: consecutive samples of one device."""

    seq: int | None
    t: Times | None  # None: untimed
    rate_hz: float | None  # as stated by the frame; None: by its times
    xyz: NDArray[np.float32]  # (n, 3) m/s², gravity included, Android's sign
    session: str | None = None
    axes: Axes = "android"  # the signs that its numbers came with
    note: str = ""  # what was decided about units and signs, and why, in a sentence


def check_id(kind: str, value: str) -> str:
    """Return `value` if it can name a device or session; raises ParameterError."""
    if not _ID.fullmatch(value):
        raise ParameterError(
            f"{kind} id {value[:80]!r}: 1 to 64 of A-Z a-z 0-9 _ . -, beginning with a letter or "
            "digit, are allowed"
        )
    return value


def check_names(given: Iterable[str], known: Sequence[str]) -> None:
    """Raise ParameterError where a parameter of a query is none of `known`: it would do nothing."""
    for name in given:
        if name not in known:
            raise ParameterError(
                f"{name[:32]!r} is no parameter here, known are {', '.join(known)}"
            )


def check_source(options: dict[str, Any]) -> Source:
    """Turn a connection's options (strings allowed) into a Source; raises ParameterError."""
    try:
        source = msgspec.convert(options, Source, strict=False)
    except msgspec.ValidationError as error:
        what, name, _ = with_allowed(malformed.explain(error))
        raise ParameterError(f"{name} = {options.get(name)!r}: {what}") from error
    if not MIN_RATE_HZ <= source.rate_hz <= MAX_RATE_HZ:
        raise ParameterError(
            f"rate_hz = {options['rate_hz']!r}: {MIN_RATE_HZ:g} to {MAX_RATE_HZ:g} Hz is allowed"
        )
    return source


def decode(
    payload: str | bytes, source: Source, limits: Wire, *, text: bool, told: Told = NOTHING_TOLD
) -> Frame:
    """Read one frame; raises DeviceError, with the frame's seq where it could be read.

    `told` overrides what the frame and its `source` say of units and signs.
    """
    size, limit = len(payload), limits.max_frame_bytes
    if size > limit:
        seq = None if isinstance(payload, str) else place_of(payload[:1000])[1]  # no more is read
        raise DeviceError(f"{size} bytes: a frame has at most {limit}", seq)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
        if text:
            return _decode_text(payload, source, limits, told)
        binary = payload if isinstance(payload, bytes) else b""
        return _decode_binary(binary, _overridden(source, told), limits, told)


def looks_like_text(payload: bytes) -> bool:
    """Whether an untyped payload (MQTT, POST) is JSON: binary frames begin with the version."""
    return payload[:1] != bytes([VERSION])


def session_of(payload: bytes) -> str | None:
    """Find the session that a frame names, also where the frame is nonsense."""
    session = named_session(payload)
    return session if session is not None and _ID.fullmatch(session) else None


def place_of(payload: bytes) -> tuple[str | None, int | None]:
    """Find the session and the seq that a frame names, also where the frame is nonsense."""
    if looks_like_text(payload):
        return session_of(payload), seq_of_text(payload)
    return None, seq_of_binary(payload)


def taken_as(units: Units, axes: Axes, why: str) -> str:
    """Say in a sentence how a device's numbers are understood, and why."""
    signs = {"android": "Android's", "ios": "iOS's"}[axes]
    unit = {"m/s2": "m/s²", "g": "g"}[units]
    return f"Readings are taken as {unit} with {signs} signs: {why}."


def _overridden(source: Source, told: Told) -> Source:
    if told == NOTHING_TOLD:  # nearly always
        return source
    return msgspec.structs.replace(
        source, units=told.units or source.units, axes=told.axes or source.axes
    )


def _note(source: Source, told: Told) -> str:
    return taken_as(source.units, source.axes, told.why) if told.why else ""


def _decode_text(payload: str | bytes, source: Source, limits: Wire, told: Told) -> Frame:
    raw = read_text(payload)
    seq = check_seq(raw.seq)
    n = len(raw.xyz)
    check_count(n, limits.max_samples, seq)
    gravity = _gravity_beside(raw, source, seq)
    if raw.units or raw.axes:
        source = msgspec.structs.replace(
            source, units=raw.units or source.units, axes=raw.axes or source.axes
        )
    source = _overridden(source, told)
    if raw.session is not None:
        check_session(raw.session, seq)
    rate_hz = check_rate(raw.rate_hz, seq)
    rate_hz = rate_hz if raw.t0 is None else rate_hz or source.rate_hz
    t = _text_times(raw, n, rate_hz)
    xyz = _samples(np.array(raw.xyz, np.float64), gravity, source, limits, seq)
    return Frame(seq, t, rate_hz, xyz, raw.session, source.axes, _note(source, told))


def _gravity_beside(raw: TextFrame, source: Source, seq: int | None) -> Vectors | None:
    if source.gravity == "included":
        if raw.gravity is not None:
            raise DeviceError("gravity is given, but the connection says gravity=included", seq)
        return None
    if raw.gravity is None or len(raw.gravity) != len(raw.xyz):
        got, n = "none" if raw.gravity is None else len(raw.gravity), len(raw.xyz)
        raise DeviceError(f"gravity has {got} of {n} vectors, one a sample is needed", seq)
    return np.array(raw.gravity, np.float64)


def _text_times(raw: TextFrame, n: int, rate_hz: float | None) -> Times | None:
    if raw.t is None:
        return _counted_times(raw.t0, n, rate_hz, raw.seq)
    if raw.t0 is not None:
        raise DeviceError("t and t0 are both given, one is allowed", raw.seq)
    if len(raw.t) != n:
        raise DeviceError(f"t has {len(raw.t)} values for {n} samples", raw.seq)
    return check_times(np.array(raw.t, np.float64), raw.seq)


def _decode_binary(payload: bytes, source: Source, limits: Wire, told: Told) -> Frame:
    raw = read_binary(payload, limits.max_samples)
    seq, n = raw.seq, len(raw.xyz)
    rate_hz = None if raw.rate_hz == 0 or isnan(raw.rate_hz) else check_rate(raw.rate_hz, seq)
    if raw.t is not None:
        t: Times | None = check_times(raw.t, seq)
    else:
        t0 = None if isnan(raw.t0) else raw.t0
        rate_hz = rate_hz if t0 is None else rate_hz or source.rate_hz
        t = _counted_times(t0, n, rate_hz, seq)
    if (raw.gravity is not None) != (source.gravity == "beside"):
        raise DeviceError(f"flags {raw.flags:#04x} disagree with gravity={source.gravity}", seq)
    xyz = _samples(raw.xyz, raw.gravity, source, limits, seq)
    return Frame(seq, t, rate_hz, xyz, None, source.axes, _note(source, told))


def _samples(
    xyz: Vectors, gravity: Vectors | None, source: Source, limits: Wire, seq: int | None
) -> NDArray[np.float32]:
    """Bring (n, 3) readings to m/s² with gravity and Android's sign; check them."""
    total = xyz if gravity is None else xyz + gravity
    if source.units == "g":
        total = total * STANDARD_GRAVITY
    check_samples(total, limits.max_g, seq)
    return (-total if source.axes == "ios" else total).astype(np.float32)


def _counted_times(
    t0: float | None, n: int, rate_hz: float | None, seq: int | None
) -> Times | None:
    if t0 is None or rate_hz is None:
        return None
    return check_times(t0 + np.arange(n) / rate_hz, seq)


def check_session(session: str, seq: int | None) -> None:
    """Raise DeviceError for what can't name a session."""
    try:
        check_id("session", session)
    except ParameterError as error:
        raise DeviceError(str(error), seq) from error
