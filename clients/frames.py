"""How a phone writes its frames: as JSON or as binary, as the protocol has them; labels as JSON."""

from typing import Literal, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stream.errors import ParameterError
from stream.wire import Frame
from stream.wire.binary import encode_binary
from stream.wire.incoming import Label, encode_label
from stream.wire.text import Axes, TextFrame, Units, Vector, encode_text

Encoding = Literal["binary", "json"]
GRID_HZ = 20.0  # the rate that a server takes for granted where nothing is said


class Style(NamedTuple):
    """How a device's frames are written and meant."""

    encoding: Encoding = "binary"
    units: Units = "m/s2"
    axes: Axes = "android"
    rate_hz: float = GRID_HZ  # of frames without times


def make_frame(xyz: ArrayLike, t: ArrayLike | None, rate_hz: float) -> Frame:
    """Check shapes: `xyz` (n, 3), `t` (n,) in s or None; raises ParameterError."""
    samples = np.asarray(xyz, dtype=np.float32)
    if samples.ndim != 2 or samples.shape[1] != 3 or not len(samples):
        raise ParameterError(f"samples have shape {samples.shape}: (n, 3) with n > 0 is needed")
    stated = None if t is not None or rate_hz == GRID_HZ else rate_hz
    return Frame(None, _times(t, len(samples)), stated, samples)


def _times(t: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    if t is None:
        return None
    times = np.asarray(t, dtype=np.float64)
    if times.shape != (n,):
        raise ParameterError(f"times have shape {times.shape}: ({n},), one a sample, is needed")
    return times


def encode(frame: Frame | Label, style: Style) -> bytes:
    """Write a numbered frame; where it names a session, it is text, which alone can say so."""
    if isinstance(frame, Label):
        return encode_label(frame)
    if style.encoding == "binary" and frame.session is None:
        return encode_binary(frame.seq or 0, frame.xyz, frame.t, frame.rate_hz or 0.0)
    return encode_text(
        TextFrame(
            xyz=cast("list[Vector]", frame.xyz.tolist()),
            seq=frame.seq,
            t=None if frame.t is None else frame.t.tolist(),
            rate_hz=frame.rate_hz,
            session=frame.session,
            units=style.units if frame.session and style.units != "m/s2" else None,
            axes=style.axes if frame.session and style.axes != "android" else None,
        )
    )
