"""Messages and samples that the tests make up."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clients.walker import walk
from stream.events import Ended, Prediction, Started

START = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)


def samples(number: int, count: int = 20) -> NDArray[np.float32]:
    """Make samples (count, 3) in m/s² that tell by their values to which frame they belong."""
    xyz = np.zeros((count, 3), np.float32)
    xyz[:, 0] = number
    xyz[:, 1] = np.arange(count)
    return xyz


def prediction(
    window: int, activity: str = "Walking", confidence: float = 0.75, session: str = "S"
) -> Prediction:
    start = window * 40
    other = "Sitting" if activity == "Walking" else "Walking"
    return Prediction(
        id=f"p/{session}/{window}",
        device="p",
        session=session,
        window=window,
        start=start,
        end=start + 200,
        t=(start / 20, (start + 200) / 20),
        time=START + timedelta(seconds=(start + 200) / 20),
        activity=activity,
        confidence=confidence,
        probabilities={activity: confidence, other: 1 - confidence},
        model="toy@1",
        latency_ms=1.0,
    )


def started(window: int, activity: str = "Walking", previous: str = "Sitting") -> Started:
    return Started(
        id=f"p/S/{window}/started",
        device="p",
        session="S",
        activity=activity,
        previous=previous,
        t=window * 2.0,
        time=START + timedelta(seconds=window * 2.0),
        confidence=0.9,
    )


def ended(key: str, activity: str = "Walking", t: float = 65.0) -> Ended:
    return Ended(
        id=f"p/S/{key}/ended",
        device="p",
        session="S",
        activity=activity,
        t=t,
        started_t=0.0,
        duration_s=t,
        time=START + timedelta(seconds=t),
    )


def write_wisdm(path: Path, users: tuple[str, ...]) -> Path:
    """Write made-up people in the format of WISDM v1.1: 30 s of walking, 25 s of sitting each."""
    lines = []
    for seed, user in enumerate(users):
        track = walk(user, [("Walking", 30.0), ("Sitting", 25.0)], seed=seed)
        ns = (track.t * 1e9).astype(np.int64) + 49_105_962_326_000
        lines += [
            f"{user},{label},{t},{x:.6f},{y:.6f},{z:.6f};"
            for label, t, (x, y, z) in zip(track.labels, ns, track.xyz, strict=True)
        ]
    path.write_text("\n".join(lines) + "\n")
    return path
