"""How a frame is written in bits, both ways: a header, then a row of float32 for each sample.

What the numbers mean, and whether they may be so, is `wire`'s affair.
"""

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.errors import DeviceError
from stream.wire.limits import check_count

HEADER = struct.Struct("<BBHIdfI")
VERSION = 1
WITH_TIMES, WITH_GRAVITY = 0b01, 0b10


class BinaryFrame(NamedTuple):
    """A binary frame, taken apart."""

    seq: int
    flags: int
    t0: float
    rate_hz: float
    t: NDArray[np.float64] | None  # (n,) s
    xyz: NDArray[np.float64]  # (n, 3)
    gravity: NDArray[np.float64] | None  # (n, 3)


def read_binary(payload: bytes, max_samples: int) -> BinaryFrame:
    """Take a frame apart; raises DeviceError, with the frame's seq where there is a header."""
    if len(payload) < HEADER.size:
        raise DeviceError(f"{len(payload)} bytes: a binary frame has a header of {HEADER.size}")
    version, flags, n, seq, t0, rate_hz, reserved = HEADER.unpack_from(payload)
    if version != VERSION:
        raise DeviceError(f"version {version}: only {VERSION} is known")
    if flags & ~(WITH_TIMES | WITH_GRAVITY) or reserved:
        raise DeviceError(
            f"flags {flags:#04x}, reserved {reserved}: only flag bits 0 and 1 may be set, and "
            "reserved is 0",
            seq,
        )
    columns = 3 + bool(flags & WITH_TIMES) + 3 * bool(flags & WITH_GRAVITY)
    if len(payload) != HEADER.size + 4 * n * columns:
        raise DeviceError(
            f"{len(payload)} bytes: {n} samples of {columns} numbers take "
            f"{HEADER.size + 4 * n * columns}",
            seq,
        )
    check_count(n, max_samples, seq)
    table = np.frombuffer(payload, "<f4", offset=HEADER.size).reshape(n, columns).astype(np.float64)
    t = t0 + table[:, 0] if flags & WITH_TIMES else None
    vectors = table[:, 1:] if flags & WITH_TIMES else table
    gravity = vectors[:, 3:] if flags & WITH_GRAVITY else None
    return BinaryFrame(seq, flags, t0, rate_hz, t, vectors[:, :3], gravity)


def seq_of_binary(payload: bytes) -> int | None:
    """Find the seq of a frame that may be nonsense; None where there is no header."""
    return int(HEADER.unpack_from(payload)[3]) if len(payload) >= HEADER.size else None


def encode_binary(
    seq: int,
    xyz: NDArray[np.floating],
    t: NDArray[np.float64] | None = None,
    rate_hz: float = 0.0,
) -> bytes:
    """Write (n, 3) samples as a binary frame, with a time each where `t` (n,) in s is given."""
    n = len(xyz)
    if t is None:
        header = HEADER.pack(VERSION, 0, n, seq, float("nan"), rate_hz, 0)
        return header + xyz.astype("<f4").tobytes()
    header = HEADER.pack(VERSION, WITH_TIMES, n, seq, float(t[0]), rate_hz, 0)
    table = np.column_stack([t - t[0], xyz]).astype("<f4")
    return header + table.tobytes()
