"""The vocabulary of the protocol: every message that goes out, as frozen structs.

`docs/protocol.md` is the contract and says what each field means. Nothing here does anything.
"""

from datetime import datetime
from typing import Literal

import msgspec

UNKNOWN = "Unknown"


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """One outgoing message; `type` on the wire tells them apart."""


class Welcome(Message, tag="welcome", omit_defaults=True, frozen=True):
    """First words to a device: where its session stands and what the server computes."""

    device: str
    session: str
    next_seq: int
    expires_s: float
    grid_hz: float
    window: int  # grid samples
    hop: int  # grid samples
    activities: tuple[str, ...]
    model: str
    recording: bool = False  # whether labels are taken


class Ack(Message, tag="ack", frozen=True):
    """Frames up to `seq` are taken: the device may forget them."""

    session: str
    seq: int


class Prediction(Message, tag="prediction", frozen=True):
    """The model's answer for one window, half-open `[start, end)` in grid samples."""

    id: str
    device: str
    session: str
    window: int
    start: int
    end: int
    t: tuple[float, float]  # device time in s
    time: datetime
    activity: str
    confidence: float
    probabilities: dict[str, float]
    model: str
    latency_ms: float


class Ended(Message, tag="activity", frozen=True):
    """A confirmed activity is over. Comes before the `Started` of the next one."""

    id: str
    device: str
    session: str
    activity: str
    t: float  # device time in s
    started_t: float  # device time in s
    duration_s: float
    time: datetime
    event: Literal["ended"] = "ended"


class Started(Message, tag="activity", frozen=True):
    """A confirmed activity has begun, back-dated to `t`."""

    id: str
    device: str
    session: str
    activity: str
    previous: str
    t: float  # device time in s
    time: datetime
    confidence: float
    event: Literal["started"] = "started"


ActivityEvent = Ended | Started


class Quality(Message, tag="quality", frozen=True):
    """What the server thinks of a device's signal; `advice` says what to change."""

    device: str
    session: str
    state: Literal["good", "poor"]
    rate_hz: float
    gaps: int
    late: int
    advice: str


class Waveform(Message, tag="waveform", frozen=True):
    """A device's newest samples, thinned out for pictures; sent only to those who ask for it."""

    device: str
    session: str
    t0: float  # device time of the first sample in s
    rate_hz: float
    xyz: list[tuple[float, float, float]]  # m/s²


class Error(Message, tag="error", omit_defaults=True, frozen=True):
    """The device sent nonsense, or we cannot take more."""

    code: str
    message: str
    seq: int | None = None


class Status(Message, tag="status", frozen=True):
    """A device came or went."""

    device: str
    status: Literal["online", "offline"]


class State(Message, tag="state", frozen=True):
    """A device as it stands: sent first to every listener, and retained over MQTT."""

    device: str
    activity: str
    since: datetime | None
    confidence: float | None
    quality: Literal["good", "poor"]
    status: Literal["online", "offline"]


class Missed(Message, tag="missed", frozen=True):
    """So many messages were dropped for this listener; 1 where some are no longer kept."""

    count: int
