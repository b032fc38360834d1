"""Parses one field of a text file; raises ValueError where it is not what it should be."""

import math


def finite(text: str) -> float:
    """Return a number, but neither NaN nor infinity."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text}: is not finite")
    return value


def nanoseconds(text: str) -> int:
    """Return a time that fits 64 bits."""
    value = int(text)
    if abs(value) >= 2**63:
        raise ValueError(f"{text}: is not a time in ns")
    return value
