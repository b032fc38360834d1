"""What a phone writes, the server reads."""

import numpy as np
import pytest

from clients.frames import Encoding, Style, encode, make_frame
from stream import wire
from stream.config import Wire
from stream.errors import ParameterError
from stream.wire import Source
from tests.clients.made import samples


@pytest.mark.parametrize("encoding", ["binary", "json"])
@pytest.mark.parametrize("timed", [True, False])
def test_the_server_reads_what_a_phone_writes(encoding: Encoding, timed: bool) -> None:
    xyz = np.random.default_rng(2).normal(0, 9, (25, 3)).astype(np.float32)
    t = 1000.5 + np.arange(25) / 50 if timed else None
    frame = make_frame(xyz, t, 50.0)._replace(seq=7)
    payload = encode(frame, Style(encoding))
    read = wire.decode(payload, Source(), Wire(), text=encoding == "json")
    assert read.seq == 7
    np.testing.assert_array_equal(read.xyz, xyz)
    if t is None:
        assert read.t is None
        assert read.rate_hz == 50.0
    else:
        assert read.t is not None
        np.testing.assert_allclose(read.t, t, atol=1e-7)


def test_a_frame_that_names_its_session_is_text_and_says_what_it_means() -> None:
    frame = make_frame(samples(0), None, 20.0)._replace(seq=0, session="mine")
    payload = encode(frame, Style("binary", units="g", axes="ios"))
    assert payload.startswith(b'{"type":"samples"')
    assert wire.decode(payload, Source(), Wire(), text=True).session == "mine"
    assert b'"units":"g"' in payload
    assert b'"axes":"ios"' in payload


def test_lists_are_samples_too() -> None:
    frame = make_frame([[1, 2, 3], [4, 5, 6]], [0.0, 0.05], 20.0)
    assert frame.xyz.dtype == np.float32
    assert frame.t is not None
    assert frame.t.dtype == np.float64


@pytest.mark.parametrize("xyz", [[], [1, 2, 3], [[1, 2]], np.zeros((2, 3, 1))])
def test_wrong_shapes_are_refused_before_they_are_sent(xyz: object) -> None:
    with pytest.raises(ParameterError, match=r"\(n, 3\) with n > 0 is needed"):
        make_frame(xyz, None, 20.0)  # type: ignore[arg-type]


def test_there_is_a_time_for_each_sample() -> None:
    with pytest.raises(ParameterError, match=r"times have shape \(2,\): \(20,\)"):
        make_frame(samples(0), [0.0, 0.1], 20.0)
