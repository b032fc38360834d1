"""What the journal keeps of a session, as bytes: its inputs one by one, and where it stood.

Knows no file; a session that takes the same inputs again comes out the same.
"""

from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from stream.config import Signal
from stream.errors import JournalError
from stream.labels import LabellerState
from stream.malformed import MALFORMED, explain
from stream.sensor_apps.intake import IntakeState
from stream.sensor_apps.readings import Push
from stream.signal.quality import MonitorState
from stream.signal.resample import ResamplerState
from stream.signal.timeline import TimelineState
from stream.signal.window import Window, WindowerState
from stream.tracker import TrackerState
from stream.wire import Frame, Told
from stream.wire.text import Axes

VERSION = 2  # of all that is written here; what another version wrote is not read


class Input(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """Something that was put into a session."""


class FrameInput(Input, frozen=True):
    """A frame as it was understood; a session may still refuse it, and then will again."""

    seq: int | None
    t: bytes | None  # (n,) float64, device time in s
    rate_hz: float | None
    xyz: bytes  # (n, 3) float32, m/s²
    axes: Axes
    note: str
    default_rate_hz: float  # where neither the frame nor the session so far says
    utc: float  # of its arrival, in s since 1970

    def frame(self) -> Frame:
        """Return the frame."""
        t = None if self.t is None else np.frombuffer(self.t)
        xyz = np.frombuffer(self.xyz, np.float32).reshape(-1, 3)
        return Frame(self.seq, t, self.rate_hz, xyz, None, self.axes, self.note)


class PushInput(Input, frozen=True):
    """An app's message, and what was known of its device's units and signs."""

    dialect: str
    push: Push
    told: Told
    utc: float


class RefusedInput(Input, frozen=True):
    """The number of a frame that was nonsense."""

    seq: int


class LabelInput(Input, frozen=True):
    """A label; a session may still refuse it, and then will again."""

    seq: int | None
    t: float | None
    label: str | None


AnyInput = FrameInput | PushInput | LabelInput | RefusedInput


class WindowState(msgspec.Struct, array_like=True, frozen=True):
    """A window that waits for its answer."""

    number: int
    start: int
    end: int
    t: tuple[float, float]
    utc: float
    xyz: bytes  # (window, 3) float32

    @classmethod
    def of(cls, window: Window) -> "WindowState":
        """Write a window down."""
        return cls(*window[:5], window.xyz.tobytes())

    def window(self) -> Window:
        """Return the window."""
        xyz = np.frombuffer(self.xyz, np.float32).reshape(-1, 3)
        return Window(self.number, self.start, self.end, self.t, self.utc, xyz)


class SessionState(msgspec.Struct, array_like=True, frozen=True):
    """All that a session remembers; it goes on with the same `signal` only."""

    signal: Signal
    next_seq: int
    axes: Axes
    last: float | None
    timeline: TimelineState
    resampler: ResamplerState
    windower: WindowerState
    tracker: TrackerState
    monitor: MonitorState
    labels: LabellerState


class DeviceState(msgspec.Struct, array_like=True, frozen=True):
    """What is known of a device whether or not it has a session."""

    activity: str
    since: datetime | None
    confidence: float | None
    session: str | None  # that the activity belongs to
    checked_axes: Axes | None


class FileState(msgspec.Struct, array_like=True, frozen=True):
    """The file that a session's labelled stretch goes to, so that nothing is written twice."""

    path: str  # empty: there is none
    size: int  # bytes that belong to it
    files: int  # the number of the next one


class LiveState(msgspec.Struct, array_like=True, frozen=True):
    """A live session with all that belongs to it."""

    version: int
    session: SessionState
    intake: IntakeState | None
    waiting: list[WindowState]
    first_frame: bytes
    file: FileState

    @property
    def next_window(self) -> int:
        """The first window that had no answer."""
        return self.waiting[0].number if self.waiting else self.session.windower.next


_encoder = msgspec.msgpack.Encoder()
_input = msgspec.msgpack.Decoder(AnyInput)
_inputs = msgspec.msgpack.Decoder(list[tuple[int, bytes]])
_device = msgspec.msgpack.Decoder(DeviceState)
_live = msgspec.msgpack.Decoder(LiveState)
encode = _encoder.encode


def frame_input(frame: Frame, default_rate_hz: float, utc: float) -> FrameInput:
    """Write a frame down that arrived at `utc` s since 1970."""
    t = None if frame.t is None else frame.t.tobytes()
    meant = (frame.axes, frame.note, default_rate_hz, utc)
    return FrameInput(frame.seq, t, frame.rate_hz, frame.xyz.tobytes(), *meant)


def decode_inputs(body: bytes) -> list[tuple[int, bytes]]:
    """Read what one commit holds: sessions, and their inputs; raises JournalError."""
    return _decoded(_inputs, body)  # type: ignore[no-any-return]


def decode_input(body: bytes) -> AnyInput:
    """Read an input; raises JournalError."""
    return _decoded(_input, body)  # type: ignore[no-any-return]


def decode_device(body: bytes) -> DeviceState:
    """Read what is known of a device; raises JournalError."""
    return _decoded(_device, body)  # type: ignore[no-any-return]


def decode_live(body: bytes) -> LiveState:
    """Read where a session stood; raises JournalError."""
    state: LiveState = _decoded(_live, body)
    if state.version != VERSION:
        raise JournalError(f"written by version {state.version} of the journal, not {VERSION}")
    return state


def _decoded(decoder: msgspec.msgpack.Decoder[Any], body: bytes) -> Any:  # noqa: ANN401  its type
    try:
        return decoder.decode(body)
    except MALFORMED as error:
        raise JournalError(f"not what the journal writes: {explain(error)}") from error
