"""Frames as devices send them: both encodings, and everything that is refused."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stream.config import Wire
from stream.errors import DeviceError, ParameterError
from stream.wire import Frame, Source, check_id, check_source, decode, looks_like_text
from stream.wire.binary import HEADER, encode_binary
from stream.wire.limits import MAX_SEQ, STANDARD_GRAVITY
from stream.wire.text import TextFrame, encode_text
from tests.core.streams import Readings, Times, readings

LIMITS = Wire()
NAN, INF = float("nan"), float("inf")


def text(payload: str | bytes | dict[str, Any], **source: Any) -> Frame:
    sent = json.dumps(payload) if isinstance(payload, dict) else payload
    return decode(sent, Source(**source), LIMITS, text=True)


def binary(payload: bytes, **source: Any) -> Frame:
    return decode(payload, Source(**source), LIMITS, text=False)


def packed(
    *numbers: float,
    n: int = 1,
    flags: int = 0,
    seq: int = 7,
    t0: float = NAN,
    rate: float = 0.0,
    version: int = 1,
    reserved: int = 0,
) -> bytes:
    header = HEADER.pack(version, flags, n, seq, t0, rate, reserved)
    return header + struct.pack(f"<{len(numbers)}f", *numbers)


def listed(frame: Frame) -> tuple[list[float] | None, list[list[float]]]:
    """Return times and samples of a frame, rounded to 1e-5."""
    t = None if frame.t is None else [round(s, 5) for s in frame.t.tolist()]
    return t, [[round(v, 5) for v in row] for row in frame.xyz.tolist()]


# What is taken


def test_the_header_is_that_of_the_protocol() -> None:
    assert HEADER.size == 24
    assert packed(1, 2, 3, n=1, seq=5, t0=1.5, rate=50)[:8] == b"\x01\x00\x01\x00\x05\x00\x00\x00"


def test_text_with_a_time_for_each_sample() -> None:
    frame = text({"type": "samples", "seq": 0, "t": [12.3, 12.349], "xyz": [[1, 2, 3], [4, 5, 6]]})
    assert (frame.seq, frame.rate_hz, frame.session) == (0, None, None)
    assert listed(frame) == ([12.3, 12.349], [[1, 2, 3], [4, 5, 6]])
    assert frame.xyz.dtype == np.float32


def test_text_from_a_first_time_on() -> None:
    stated = text({"seq": 1, "t0": 12.4, "rate_hz": 50, "xyz": [[1, 2, 3]] * 3})
    assert (listed(stated)[0], stated.rate_hz) == ([12.4, 12.42, 12.44], 50)
    unstated = text({"seq": 1, "t0": 12.4, "xyz": [[1, 2, 3]] * 3}, rate_hz=10.0)
    assert (listed(unstated)[0], unstated.rate_hz) == ([12.4, 12.5, 12.6], 10)


def test_text_without_time() -> None:
    assert text({"seq": 2, "xyz": [[1, 2, 3]]}).t is None
    assert text('{"xyz": [[1, 2, 3]], "unheard_of": {"a": 1}}').seq is None


def test_text_over_mqtt_names_units_axes_and_session() -> None:
    frame = text({"xyz": [[0, 0, -1]], "units": "g", "axes": "ios", "session": "walk-1"})
    assert listed(frame)[1] == [[0, 0, 9.80665]]
    assert frame.session == "walk-1"
    plain = text({"xyz": [[0, 0, 9]], "units": "m/s2", "axes": "android"}, units="g", axes="ios")
    assert listed(plain)[1] == [[0, 0, 9]]


def test_binary_without_and_with_times() -> None:
    untimed = binary(packed(1, 2, 3, 4, 5, 6, n=2))
    assert (untimed.seq, untimed.rate_hz, listed(untimed)) == (
        7,
        None,
        (None, [[1, 2, 3], [4, 5, 6]]),
    )
    counted = binary(packed(1, 2, 3, 4, 5, 6, n=2, t0=100.5, rate=50))
    assert (listed(counted)[0], counted.rate_hz) == ([100.5, 100.52], 50)
    each = binary(packed(0, 1, 2, 3, 0.25, 4, 5, 6, n=2, flags=1, t0=100.5))
    assert listed(each) == ([100.5, 100.75], [[1, 2, 3], [4, 5, 6]])


def test_units_axes_and_gravity_are_brought_to_androids() -> None:
    upwards = [[0, 0, pytest.approx(0.5 * STANDARD_GRAVITY, abs=1e-5)]]
    source = {"units": "g", "axes": "ios", "gravity": "beside"}
    beside = {"xyz": [[0, 0, 0.5]], "gravity": [[0, 0, -1]]}
    assert listed(text(beside, **source))[1] == upwards
    bits = packed(0, 0, 0.5, 0, 0, -1, flags=2)
    assert listed(binary(bits, **source))[1] == upwards
    timed = packed(0.5, 0, 0, 0.5, 0, 0, -1, flags=3, t0=4)
    assert listed(binary(timed, **source)) == ([4.5], upwards)


def test_untouched_samples_keep_every_bit() -> None:
    xyz = readings(100)
    assert binary(encode_binary(0, xyz)).xyz.tobytes() == xyz.tobytes()
    assert text({"xyz": xyz.tolist()}).xyz.tobytes() == xyz.tobytes()


def test_limits_themselves_are_taken() -> None:
    edge = 40 * STANDARD_GRAVITY
    assert (
        len(text({"seq": MAX_SEQ, "xyz": [[edge, -edge, 0]] * 4096, "rate_hz": 1000}).xyz) == 4096
    )
    assert binary(packed(1, 2, 3, seq=MAX_SEQ, t0=-1e11)).seq == MAX_SEQ
    assert text({"xyz": [[40, 0, 0]], "t": [1e11]}, units="g").t is not None


def test_binary_is_told_from_text_by_its_first_byte() -> None:
    assert not looks_like_text(packed(1, 2, 3))
    assert looks_like_text(b'{"xyz": []}')
    assert looks_like_text(b"")


# What is refused


@pytest.mark.parametrize(
    ("payload", "message", "seq"),
    [
        ("", "not a frame", None),
        ("{", "not a frame", None),
        ("nonsense", "not a frame", None),
        (b"\xff\xfe", "not a frame", None),
        ("\ud800", "not a frame", None),
        ("[" * 100_000, "not a frame", None),
        ('{"a":' + "[" * 100_000, "not a frame: its brackets", None),
        ("[]", "an object is needed, not a list", None),
        ("null", "an object is needed, not null", None),
        ("{}", "xyz is missing", None),
        ('{"seq": 3}', "xyz is missing", 3),
        ('{"seq": 3, "xyz": null}', "a list is needed, not null", 3),
        ('{"seq": 3, "xyz": [[NaN, 0, 0]]}', "it is no JSON, near byte", 3),
        ('{"xyz": [[-Infinity, 0, 0]], "seq" : 3 }', "it is no JSON, near byte", 3),
        ('{"xyz": [[0, 0, 0]], "seq": 3', "it ends in the middle", None),
        ('{"seq": 3, "xyz": [[0, 0, 0', "it ends in the middle", 3),
        ('{"seq": 3, "xyz": [[1e999, 0, 0]]}', "out of range", 3),
        ('{"seq": 3, "xyz": [[null, 0, 0]]}', "a number is needed, not null", 3),
        ('{"seq": 3, "xyz": [["1", 0, 0]]}', "a number is needed, not text", 3),
        ('{"seq": 3, "xyz": [[true, 0, 0]]}', "a number is needed, not true or false", 3),
        ('{"seq": 3, "xyz": [[1, 0]]}', "a list of length 3 is needed", 3),
        ('{"seq": 3, "xyz": [[1, 0, 0, 0]]}', "a list of length 3 is needed", 3),
        ('{"seq": 3, "xyz": [1, 2, 3]}', "a list is needed, not a number", 3),
        ('{"seq": 3, "xyz": []}', "0 samples: a frame has 1 to 4096", 3),
        ({"seq": 3, "xyz": [[0, 0, 0]] * 4097}, "4097 samples: a frame has 1 to 4096", 3),
        ({"seq": 3, "xyz": [[0, 0, 0], [0, 393, 0]]}, "sample 1, y = 393 m/s²: .* ±40 g", 3),
        ({"seq": 3, "xyz": [[0, 0, -1e300]]}, r"sample 0, z = -1e\+300 m/s²: .* ±40 g", 3),
        (
            {"seq": 3, "type": "auth", "xyz": [[0, 0, 0]]},
            "'auth'.*: samples or label is allowed",
            3,
        ),
        ({"seq": 3, "type": 1, "xyz": [[0, 0, 0]]}, "type", 3),
        ({"seq": -1, "xyz": [[0, 0, 0]]}, "seq = -1: 0 to 4294967295 is allowed", None),
        ({"seq": 2**32, "xyz": [[0, 0, 0]]}, "seq = 4294967296: 0 to 4294967295", None),
        ({"seq": 10**30, "xyz": [[0, 0, 0]]}, "0 to 4294967295 is allowed", None),
        ('{"xyz": [[0, 0, 0]], "seq": 1' + "0" * 6000 + "}", "out of range", None),
        (
            {"seq": 1.5, "xyz": [[0, 0, 0]]},
            "a whole number or null is needed, not a fraction",
            None,
        ),
        ({"seq": "1", "xyz": [[0, 0, 0]]}, "a whole number or null is needed, not text", None),
        (
            {"seq": True, "xyz": [[0, 0, 0]]},
            "a whole number or null is needed, not true or false",
            None,
        ),
        ({"seq": 3, "xyz": [[0, 0, 0]], "t": [1], "t0": 1}, "t and t0 are both given", 3),
        ({"seq": 3, "xyz": [[0, 0, 0]], "t": [1, 2]}, "t has 2 values for 1 samples", 3),
        ({"seq": 3, "xyz": [[0, 0, 0]], "t": []}, "t has 0 values for 1 samples", 3),
        ({"seq": 3, "xyz": [[0, 0, 0]], "t": [1.8e12]}, r"t = 1.8e\+12 s: .* ±1e\+11 s", 3),
        ({"seq": 3, "xyz": [[0, 0, 0]], "t0": -1e300}, r"t = -1e\+300 s: .* ±1e\+11 s", 3),
        ({"seq": 3, "xyz": [[0, 0, 0]], "rate_hz": 0}, "rate_hz = 0: 0.5 to 1000 Hz", 3),
        ({"seq": 3, "xyz": [[0, 0, 0]], "rate_hz": -20}, "rate_hz = -20: 0.5 to 1000 Hz", 3),
        ({"seq": 3, "xyz": [[0, 0, 0]], "rate_hz": 1e9}, r"rate_hz = 1e\+09: 0.5 to 1000", 3),
        ({"seq": 3, "xyz": [[0, 0, 0]], "gravity": [[0, 0, 9]]}, "gravity=included", 3),
        ({"seq": 3, "xyz": [[0, 0, 0]], "units": "ft"}, "units = 'ft': m/s2 or g is allowed", 3),
        ({"seq": 3, "xyz": [[0, 0, 0]], "axes": ""}, "axes = '': android or ios is allowed", 3),
        ({"seq": 3, "xyz": [[0, 0, 0]], "session": "a/b"}, "session id 'a/b': 1 to 64 of A-Z", 3),
        ({"seq": 3, "xyz": [[0, 0, 0]], "session": ""}, "session id '': 1 to 64 of A-Z", 3),
    ],
)
def test_text_that_is_nonsense(
    payload: str | bytes | dict[str, Any], message: str, seq: int | None
) -> None:
    with pytest.raises(DeviceError, match=message) as error:
        text(payload)
    assert (error.value.code, error.value.seq) == ("bad-frame", seq)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("payload", "message", "seq"),
    [
        (b"", "0 bytes: a binary frame has a header of 24", None),
        (b"\x01" * 23, "23 bytes: a binary frame has a header of 24", None),
        (packed(1, 2, 3, version=2), "version 2: only 1 is known", None),
        (packed(1, 2, 3, version=0), "version 0: only 1 is known", None),
        (packed(1, 2, 3, flags=4), "flags 0x04.*only flag bits 0 and 1", 7),
        (packed(1, 2, 3, flags=0x80), "flags 0x80.*only flag bits 0 and 1", 7),
        (packed(1, 2, 3, reserved=9), "reserved 9: .*reserved is 0", 7),
        (packed(n=0), "0 samples: a frame has 1 to 4096", 7),
        (packed(*[0.0] * 3 * 4097, n=4097), "4097 samples: a frame has 1 to 4096", 7),
        (packed(1, 2, 3, n=2), "36 bytes: 2 samples of 3 numbers take 48", 7),
        (packed(1, 2, 3, 4, n=1), "40 bytes: 1 samples of 3 numbers take 36", 7),
        (packed(1, 2, 3) + b"\x00", "37 bytes: 1 samples of 3 numbers take 36", 7),
        (packed(1, 2, 3, flags=1, t0=5), "36 bytes: 1 samples of 4 numbers take 40", 7),
        (packed(0, 1, 2, 3, flags=1), "t = nan s: finite and within", 7),
        (packed(NAN, 1, 2, 3, flags=1, t0=5), "t = nan s: finite and within", 7),
        (packed(-INF, 1, 2, 3, flags=1, t0=INF), "t = nan s: finite and within", 7),
        (packed(1, 2, 3, t0=INF), r"t = inf s: finite and within ±1e\+11 s", 7),
        (packed(1, 2, 3, t0=-1e12), r"t = -1e\+12 s: finite and within ±1e\+11 s", 7),
        (packed(1, 2, 3, rate=-50), "rate_hz = -50: 0.5 to 1000 Hz is allowed", 7),
        (packed(1, 2, 3, rate=INF), "rate_hz = inf: 0.5 to 1000 Hz is allowed", 7),
        (packed(1, 2, 3, rate=1e-9), "rate_hz = 1e-09: 0.5 to 1000 Hz is allowed", 7),
        (packed(NAN, 2, 3), "sample 0, x = nan m/s²: finite and within ±40 g", 7),
        (packed(1, INF, 3), "sample 0, y = inf m/s²: finite and within ±40 g", 7),
        (packed(1, 2, -INF), "sample 0, z = -inf m/s²: finite and within ±40 g", 7),
        (packed(1, 2, 3, 1, 2, 392.4, n=2), "sample 1, z = 392.4 m/s².*±392.3 m/s²", 7),
        (packed(1, 2, 3, 0, 0, 0, flags=2), "flags 0x02 disagree with gravity=included", 7),
    ],
)
def test_bits_that_are_nonsense(payload: bytes, message: str, seq: int | None) -> None:
    with pytest.raises(DeviceError, match=message) as error:
        binary(payload)
    assert (error.value.code, error.value.seq) == ("bad-frame", seq)


def test_limits_hold_for_what_is_meant_rather_than_for_what_is_sent() -> None:
    with pytest.raises(DeviceError, match=r"x = 402\.073 m/s²"):
        text({"xyz": [[41, 0, 0]]}, units="g")
    with pytest.raises(DeviceError, match="x = 600 m/s²"):
        text({"xyz": [[300, 0, 0]], "gravity": [[300, 0, 0]]}, gravity="beside")
    with pytest.raises(DeviceError, match="x = inf m/s²"):
        text({"xyz": [[1e308, 0, 0]], "gravity": [[1e308, 0, 0]]}, gravity="beside")
    with pytest.raises(DeviceError, match="x = inf m/s²"):
        text({"xyz": [[1e308, 0, 0]]}, units="g")
    with pytest.raises(DeviceError, match="x = nan m/s²"):
        binary(packed(INF, 0, 0, -INF, 0, 0, flags=2), gravity="beside")


def test_gravity_beside_is_needed_where_it_was_announced() -> None:
    with pytest.raises(DeviceError, match="gravity has none of 1 vectors"):
        text({"xyz": [[0, 0, 0]]}, gravity="beside")
    with pytest.raises(DeviceError, match="gravity has 2 of 1 vectors"):
        text({"xyz": [[0, 0, 0]], "gravity": [[0, 0, 9], [0, 0, 9]]}, gravity="beside")
    with pytest.raises(DeviceError, match="flags 0x00 disagree with gravity=beside"):
        binary(packed(0, 0, 0), gravity="beside")


@pytest.mark.parametrize("as_text", [True, False])
def test_a_frame_that_is_too_big_is_not_even_read(as_text: bool) -> None:
    with pytest.raises(DeviceError, match="10000000 bytes: a frame has at most 1048576"):
        decode(b"\x01" * 10_000_000, Source(), LIMITS, text=as_text)


@pytest.mark.parametrize("begin", [b'{"seq": 7, "xyz": [', packed(seq=7)])
def test_one_that_is_too_big_is_told_by_its_seq(begin: bytes) -> None:
    """By MQTT it waits for an ack; what comes after its beginning is not looked at."""
    with pytest.raises(DeviceError) as refused:
        decode(begin + b"x" * 10_000_000, Source(), LIMITS, text=begin[:1] == b"{")
    assert refused.value.seq == 7


def test_a_signalling_nan_is_refused_like_any_other() -> None:
    bits = packed(1, 2, 3)[:-4] + bytes.fromhex("0100a07f")
    with pytest.raises(DeviceError, match="z = nan"):
        binary(bits)


# Hostile frames


@settings(max_examples=400, deadline=None)
@given(payload=st.binary(max_size=200), as_text=st.booleans())
@example(payload=b'{"xyz":[[1,2,3]],"session":"\\ud800"}', as_text=True)
def test_random_bytes_raise_nothing_but_device_errors(payload: bytes, as_text: bool) -> None:
    refused_or_sane(payload, as_text)


GOOD_TEXT = json.dumps(
    {"type": "samples", "seq": 1, "t": [1.5, 1.6], "xyz": [[1, 2.5, 3], [-4, 5e1, 6]], "units": "g"}
).encode()
GOOD_BITS = packed(0, 1, 2, 3, 0.1, 4, 5, 6, n=2, flags=1, t0=1.5, rate=20)


@settings(max_examples=1000, deadline=None)
@given(
    good=st.sampled_from([GOOD_TEXT, GOOD_BITS]),
    changes=st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 2), st.binary(min_size=1, max_size=4)),
        min_size=1,
        max_size=6,
    ),
)
def test_mutated_frames_raise_nothing_but_device_errors(
    good: bytes, changes: list[tuple[int, int, bytes]]
) -> None:
    payload = bytearray(good)
    for place, removed, new in changes:
        i = place % len(payload)
        payload[i : i + removed * len(new)] = new
    refused_or_sane(bytes(payload), as_text=good is GOOD_TEXT)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
keys = st.sampled_from(
    ["type", "seq", "t", "t0", "rate_hz", "xyz", "gravity", "units", "axes", "session"]
)


@settings(max_examples=400, deadline=None)
@given(changes=st.dictionaries(keys, json_values, max_size=4))
def test_fields_of_any_type_raise_nothing_but_device_errors(changes: dict[str, Any]) -> None:
    refused_or_sane(json.dumps(json.loads(GOOD_TEXT) | changes).encode(), as_text=True)


def refused_or_sane(payload: bytes, as_text: bool) -> None:
    """A frame is refused, or comes out finite and within the limits."""
    for gravity in ("included", "beside"):
        try:
            frame = decode(payload, Source(gravity=gravity), LIMITS, text=as_text)
        except DeviceError as refused:
            sane_seq(refused.seq)
            continue
        sane_seq(frame.seq)
        assert frame.xyz.shape == (len(frame.xyz), 3)
        assert frame.xyz.dtype == np.float32
        assert (np.abs(frame.xyz) <= 393).all()
        assert frame.rate_hz is None or 0.5 <= frame.rate_hz <= 1000
        if frame.t is not None:
            assert frame.t.shape == (len(frame.xyz),)
            assert (np.abs(frame.t) <= 1e11).all()


def sane_seq(seq: int | None) -> None:
    assert seq is None or 0 <= seq <= MAX_SEQ


# What we write ourselves

samples = st.integers(1, 60).map(readings)
times = st.integers(1, 60).flatmap(
    lambda n: st.lists(st.floats(-1e3, 1e3), min_size=n, max_size=n).map(np.array)
)


def test_text_that_we_write_says_what_it_is() -> None:
    written = json.loads(encode_text(TextFrame([(1, 2, 3)], seq=0)))
    assert written == {"type": "samples", "seq": 0, "xyz": [[1, 2, 3]]}


@settings(deadline=None)
@given(xyz=samples, seq=st.integers(0, MAX_SEQ), t0=st.none() | st.floats(-1e9, 1e9))
def test_text_comes_back_as_it_was_written(xyz: Readings, seq: int, t0: float | None) -> None:
    rows = [(float(x), float(y), float(z)) for x, y, z in xyz]
    back = text(encode_text(TextFrame(rows, seq=seq, t0=t0, rate_hz=50.0)))
    assert (back.seq, back.rate_hz) == (seq, 50)
    assert back.xyz.tobytes() == xyz.tobytes()
    if t0 is None:
        assert back.t is None
    else:
        assert back.t is not None
        assert back.t.tolist() == (t0 + np.arange(len(xyz)) / 50).tolist()


@settings(deadline=None)
@given(xyz=samples, seq=st.integers(0, MAX_SEQ), rate_hz=st.floats(1, 1000, width=32))
def test_untimed_bits_come_back_as_they_were_written(
    xyz: Readings, seq: int, rate_hz: float
) -> None:
    back = binary(encode_binary(seq, xyz, rate_hz=rate_hz))
    assert (back.seq, back.t, back.rate_hz) == (seq, None, rate_hz)
    assert back.xyz.tobytes() == xyz.tobytes()


@settings(deadline=None)
@given(t=times, seq=st.integers(0, MAX_SEQ))
def test_timed_bits_come_back_to_the_tenth_of_a_millisecond(t: Times, seq: int) -> None:
    xyz = readings(len(t))
    back = binary(encode_binary(seq, xyz, t))
    assert back.t is not None
    np.testing.assert_allclose(back.t, t, atol=1e-4)
    assert back.xyz.tobytes() == xyz.tobytes()


# Names and options


@pytest.mark.parametrize("name", ["a", "pixel-7", "7", "A.b_c-d", "x" * 64, "01JD2Z"])
def test_ids_that_are_allowed(name: str) -> None:
    assert check_id("device", name) == name


@pytest.mark.parametrize(
    "name",
    ["", "-a", ".a", "_a", "a/b", "a#", "a+", "a b", "x" * 65, "é", "a\n", "a\x00", "x" * 999],
)
def test_ids_that_are_refused(name: str) -> None:
    with pytest.raises(ParameterError, match=r"device id .*1 to 64 of A-Z a-z 0-9") as error:
        check_id("device", name)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 250


def test_options_of_a_connection() -> None:
    assert check_source({}) == Source("m/s2", "android", "included", 20.0)
    given = {"units": "g", "axes": "ios", "gravity": "beside", "rate_hz": "50"}
    assert check_source(given) == Source("g", "ios", "beside", 50.0)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("units", "ft", "m/s2 or g"),
        ("axes", "windows", "android or ios"),
        ("gravity", "", "included or beside"),
        ("rate_hz", "fast", "a number is needed, not text"),
        ("rate_hz", "0", "0.5 to 1000"),
        ("rate_hz", "-1", "0.5 to 1000"),
        ("rate_hz", "nan", "0.5 to 1000"),
        ("rate_hz", "inf", "0.5 to 1000"),
        ("rate_hz", "1e9", "0.5 to 1000"),
    ],
)
def test_options_that_are_refused(key: str, value: str, allowed: str) -> None:
    with pytest.raises(ParameterError) as error:
        check_source({key: value})
    assert str(error.value).startswith(f"{key} = ")
    assert value in str(error.value)
    assert allowed in str(error.value)
