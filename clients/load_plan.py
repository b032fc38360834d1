"""What a load phone sends, and which windows have to come back. Knows no socket."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clients.frames import GRID_HZ, Style, encode
from clients.track import Track
from clients.walker import walk
from stream.config import Signal

LOOK_AHEAD_S = 0.25  # a grid sample of a timed session is known once a sample so much later came
EPSILON_S = 1e-6
TRACKS = 8  # different people; more would only take longer to make
SCRIPT = (("Walking", 40.0), ("Standing", 20.0), ("Jogging", 30.0), ("Sitting", 20.0))


class Plan(NamedTuple):
    """Encoded frames, the same for all phones that play this plan."""

    payloads: list[bytes]
    text: bool
    completing: NDArray[np.intp]  # (windows,) the frame that completes each window


def make_plans(
    seconds: float, rate_hz: float, frame_s: float, style: Style, *, timed: bool
) -> list[Plan]:
    """Make a few people's plans of `seconds` at `rate_hz`, each beginning elsewhere in a script."""
    plans = []
    for seed in range(TRACKS):
        turn = seed % len(SCRIPT)
        script = (SCRIPT[turn:] + SCRIPT[:turn]) * (int(seconds // 110) + 1)
        track = walk(f"load-{seed}", script, rate_hz=rate_hz, seed=seed)
        plans.append(_plan(track.first(seconds - EPSILON_S), frame_s, style, timed=timed))
    return plans


def _plan(track: Track, frame_s: float, style: Style, *, timed: bool) -> Plan:
    frames = list(track.frames(frame_s, timed=timed))
    stated = None if timed or track.rate_hz == GRID_HZ else track.rate_hz
    payloads = [
        encode(frame._replace(seq=seq, rate_hz=stated), style) for seq, frame in enumerate(frames)
    ]
    ends = np.cumsum([len(frame.xyz) for frame in frames])
    samples = completing_samples(track, timed=timed)
    completing = np.searchsorted(ends, samples, side="right")
    return Plan(payloads, style.encoding == "json", completing)


def completing_samples(track: Track, *, timed: bool) -> NDArray[np.intp]:
    """Return (windows,) the sample with which each window is complete, in order.

    Untimed at the grid's rate, samples are the grid; otherwise the last grid sample of a window
    is known a little later.
    """
    signal = Signal()
    starts = np.arange(0, len(track.t) * signal.grid_hz / track.rate_hz, signal.hop)
    last = starts + signal.window - 1
    if not timed and track.rate_hz == signal.grid_hz:
        samples = last.astype(np.intp)
    else:
        known_t = track.t[0] + last / signal.grid_hz + LOOK_AHEAD_S - EPSILON_S
        samples = np.searchsorted(track.t, known_t)
    return samples[samples < len(track.t)]
