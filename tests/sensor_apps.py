"""Speaks like HyperIMU, SensorStreamer and Edge Impulse's mobile client: samples to their bytes."""

import json
import random
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

GOLDEN = Path(__file__).parent / "data"
EPOCH_MS = 1_764_128_599_744
BOOT_NS = 48_211_356_104_938
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def hyperimu_json(xyz: Samples, rate_hz: float = 100.0, t: float = 0) -> list[bytes]:
    """Write samples (n, 3) in m/s² as objects, which nothing divides; `t` in s is the first's."""
    return [
        json.dumps(
            {
                "op": "hyperimu",
                "Timestamp": EPOCH_MS + round((t + i / rate_hz) * 1000),
                "LSM6DSO Accelerometer": row,
                "LSM6DSO Gyroscope": [0.1, 0.2, 0.3],
            },
            separators=(",", ":"),
        ).encode()
        for i, row in enumerate(xyz.tolist())
    ]


def hyperimu_csv(xyz: Samples, rate_hz: float = 100.0, t: float = 0) -> list[bytes]:
    """Write the same as lines."""
    return [
        f"{EPOCH_MS + round((t + i / rate_hz) * 1000)},{x},{y},{z},0.1,0.2,0.3\r\n".encode()
        for i, (x, y, z) in enumerate(xyz.tolist())
    ]


def sensor_streamer(xyz: Samples, rate_hz: float = 100.0, t: float = 0) -> list[bytes]:
    """Write samples (n, 3) in m/s² as packets."""
    packets = []
    for i, row in enumerate(xyz.tolist()):
        time = BOOT_NS + round((t + i / rate_hz) * 1e9)
        packet = {
            "accelerometer": {"value": row, "timestamp": time},
            "gyroscope": {"value": [0.1, 0.2, 0.3], "timestamp": time},
            "light": {"value": 118.0, "timestamp": time},
        }
        packets.append(json.dumps(packet, separators=(",", ":")).encode() + b"\n")
    return packets


def edge_impulse(
    xyz: Samples,
    rate_hz: float = 62.5,
    device: str = "phone_lx3k2j7a",
    iat: int | None = 1_764_128_599,
) -> bytes:
    """Write samples (n, 3) as a recording that ended at `iat` s since 1970."""
    body = {
        "protected": {"ver": "v1", "alg": "HS256"} | ({} if iat is None else {"iat": iat}),
        "signature": "0" * 64,
        "payload": {
            "device_name": device,
            "device_type": "MOBILE_CLIENT",
            "interval_ms": 1000 / rate_hz,
            "sensors": [{"name": f"acc{axis}", "units": "m/s2"} for axis in "XYZ"],
            "values": xyz.tolist(),
        },
    }
    return json.dumps(body, separators=(",", ":")).encode()


def form(message: bytes) -> bytes:
    """Put a recording into the form that the mobile client posts."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="message"; '
        'filename="message.json"\r\nContent-Type: application/json\r\n\r\n'
    )
    return head.encode() + message + f"\r\n--{BOUNDARY}--\r\n".encode()


def mutated(source: random.Random, *names: str) -> bytes:
    """Spoil one of these golden messages at random places."""
    body = bytearray((GOLDEN / source.choice(names)).read_bytes())
    for _ in range(source.randint(1, 6)):
        i = source.randrange(len(body))
        new = source.choice([b"", b"9e999", b"null", b"{", b'"', bytes([source.randrange(256)])])
        body[i : i + source.choice([0, 1, 20])] = new
    return bytes(body)
