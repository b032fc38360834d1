"""What devices send between their frames: labels, and what is refused as one."""

import json
from typing import Any

import numpy as np
import pytest

from stream.config import Wire
from stream.errors import DeviceError
from stream.wire import Frame, Source
from stream.wire.binary import encode_binary
from stream.wire.incoming import Label, decode, encode_label

LIMITS = Wire()


def text(payload: str | bytes | dict[str, Any]) -> Frame | Label:
    sent = json.dumps(payload) if isinstance(payload, dict) else payload
    return decode(sent, Source(), LIMITS, text=True)


@pytest.mark.parametrize(
    ("payload", "label"),
    [
        ({"type": "label", "seq": 12, "t": 34.2, "label": "Walking"}, Label(12, 34.2, "Walking")),
        ({"type": "label", "seq": 0, "label": None}, Label(0, None, None)),
        ({"type": "label", "label": "walking the dog"}, Label(None, None, "walking the dog")),
        ({"type": "label", "label": "Händewaschen_2", "t": 1}, Label(None, 1.0, "Händewaschen_2")),
        ({"label": "x", "session": "s-1", "type": "label"}, Label(None, None, "x", "s-1")),
    ],
)
def test_labels(payload: dict[str, Any], label: Label) -> None:
    assert text(payload) == label
    assert text(encode_label(label)) == label


def test_frames_are_what_they_were() -> None:
    xyz = np.ones((2, 3), np.float32)
    for message in (
        text('{"type": "samples", "seq": 3, "xyz": [[1, 1, 1], [1, 1, 1]]}'),
        text('{"seq": 3, "xyz": [[1, 1, 1], [1, 1, 1]]}'),
        decode(encode_binary(3, xyz), Source(), LIMITS, text=False),
    ):
        assert isinstance(message, Frame)
        assert message.seq == 3
        assert np.array_equal(message.xyz, xyz)


@pytest.mark.parametrize(
    ("payload", "words", "seq"),
    [
        ('{"type": "label", "seq": 3}', "not a label: .*label", 3),
        ('{"type": "label", "seq": 3, "label": 7}', "not a label: ", 3),
        ('{"type": "label", "seq": 3, "label": ""}', "label '': 1 to 40 letters", 3),
        ('{"type": "label", "seq": 3, "label": "a,b"}', "label 'a,b'", 3),
        ('{"type": "label", "seq": 3, "label": "a\\nb"}', "label 'a", 3),
        ('{"type": "label", "seq": 3, "label": "=1"}', "label '=1'", 3),
        ('{"type": "label", "seq": 3, "label": "a "}', "label 'a '", 3),
        (f'{{"type": "label", "seq": 3, "label": "{41 * "a"}"}}', "1 to 40 letters", 3),
        ('{"type": "label", "seq": 3, "label": "a", "t": "now"}', "not a label: ", 3),
        ('{"type": "label", "seq": 3, "label": "a", "t": 1e12}', "t = 1e.12 s", 3),
        ('{"type": "label", "seq": -3, "label": "a"}', "seq = -3", None),
        ('{"type": "label", "seq": 3, "label": "a", "session": "../x"}', "session id '../x'", 3),
        ('{"type": "labels", "seq": 3, "label": "a"}', "samples or label is allowed", 3),
        ('{"type": "label"', "not a frame: ", None),
    ],
)
def test_nonsense_is_refused_with_value_and_limit(
    payload: str, words: str, seq: int | None
) -> None:
    with pytest.raises(DeviceError, match=words) as error:
        text(payload)
    assert error.value.seq == seq


def test_neither_binary_nor_what_is_too_long_is_looked_at_again() -> None:
    label = b'{"type": "label", "label": "a", "seq": 1}'
    with pytest.raises(DeviceError, match="version"):
        decode(label, Source(), LIMITS, text=False)
    with pytest.raises(DeviceError, match="a frame has at most"):
        decode(label + b" " * LIMITS.max_frame_bytes, Source(), LIMITS, text=True)
