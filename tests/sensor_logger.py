"""Speaks like the Sensor Logger app: samples become the messages that it would push."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stream.wire.limits import STANDARD_GRAVITY

Style = Literal["android", "ios", "ios-raw", "standardised"]
Entry = dict[str, Any]
Samples = NDArray[np.float64]

EPOCH_NS = 1_716_760_513_715_797_500


def walk(seconds: float, rate_hz: float = 100.0, seed: int = 0) -> Samples:
    """Return (n, 3) m/s² with gravity, Android's sign, of a phone upright in a pocket."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    swing = np.column_stack([np.sin(12 * t), 4 * np.sin(24 * t) + 9.8, np.cos(12 * t)])
    noise: Samples = np.random.default_rng(seed).normal(0, 0.3, swing.shape)
    return swing + noise


def face_up(seconds: float, rate_hz: float = 100.0, seed: int = 1) -> Samples:
    """Return (n, 3) m/s² of a phone lying on its back, Android's sign."""
    n = round(seconds * rate_hz)
    noise: Samples = np.random.default_rng(seed).normal(0, 0.02, (n, 3))
    lying: Samples = noise + np.array([0, 0, 9.8])
    return lying


def entry(name: str, time: float, xyz: Iterable[float]) -> Entry:
    x, y, z = (float(v) for v in xyz)
    return {"values": {"z": z, "y": y, "x": x}, "name": name, "time": int(time)}


def entries(
    xyz: Samples, style: Style, rate_hz: float = 100.0, gravity: Samples | None = None, t: float = 0
) -> list[Entry]:
    """Write samples (n, 3) in m/s², Android's sign, as an app of that kind would, in time order.

    `gravity` (n, 3) is the part of them that a phone knows to be gravity; `t` in s is when they
    begin.
    """
    times = [EPOCH_NS + round((t + i / rate_hz) * 1e9) for i in range(len(xyz))]
    if style == "android":
        return [entry("totalacceleration", *row) for row in zip(times, xyz, strict=True)]
    if style == "ios-raw":
        raw = -xyz / STANDARD_GRAVITY
        return [entry("accelerometeruncalibrated", *row) for row in zip(times, raw, strict=True)]
    sign = -1 if style == "ios" else 1
    known = np.broadcast_to(xyz.mean(axis=0), xyz.shape) if gravity is None else gravity
    both: list[Entry] = []
    for time, whole, part in zip(times, xyz, known, strict=True):
        both.append(entry("accelerometer", time, sign * (whole - part)))
        both.append(entry("gravity", time, sign * part))
        both.append(entry("gyroscope", time, (0.1, 0.2, 0.3)))
    return both


def message(number: int, payload: Sequence[Entry], device: str = "b1", session: str = "s") -> bytes:
    body = {"messageId": number, "sessionId": session, "deviceId": device, "payload": payload}
    return json.dumps(body).encode()


def messages(
    payload: Sequence[Entry],
    size: int = 100,
    device: str = "b1",
    session: str = "s",
    first: int = 0,
) -> list[bytes]:
    """Cut entries into messages of `size`, numbered from `first`."""
    starts = range(0, len(payload), size)
    return [
        message(first + n, payload[i : i + size], device, session) for n, i in enumerate(starts)
    ]
