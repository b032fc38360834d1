"""Edge Impulse's recordings: golden ones, bare and in the mobile client's form, and nonsense."""

import json
import random
from contextlib import suppress

import numpy as np
import pytest

from stream.config import Wire
from stream.errors import DeviceError
from stream.sensor_apps.dialects.dialect import valid_id
from stream.sensor_apps.dialects.edge_impulse import MAX_ROWS, lacks, owner, read
from stream.sensor_apps.readings import Push, Reading
from stream.wire import check_id
from tests.sensor_apps import GOLDEN, edge_impulse, form, mutated

FOLDER = GOLDEN / "edge-impulse"


@pytest.mark.parametrize("name", ["mobile.json", "form.txt"])
def test_the_mobile_client(name: str) -> None:
    push = read((FOLDER / name).read_bytes(), Wire())
    assert (push.device, push.session, push.other) == ("phone_lx3k2j7a", None, 0)
    assert [r.xyz for r in push.readings] == [
        (-0.4, 0.1, 9.700000000000001),
        (-0.4, 0.2, 9.8),
        (0, 0.1, 9.8),
    ]
    assert [r.time for r in push.readings] == pytest.approx(
        [1764128598.968, 1764128598.984, 1764128599.0]
    )


def test_a_board_without_a_clock_whose_columns_are_elsewhere() -> None:
    push = read((FOLDER / "board.json").read_bytes(), Wire())
    assert push.device == check_id("device", push.device)
    assert push.device == valid_id("ac:87:a3:0a:2d:1b")
    assert [(r.time, r.xyz) for r in push.readings] == [
        (0.0, (-9.81, 0.03, 1.21)),
        (0.01, (-9.83, 0.04, 1.27)),
    ]
    assert push.other == 1


def test_a_recording_of_something_else() -> None:
    push = read((FOLDER / "sound.json").read_bytes(), Wire())
    assert (push.readings, push.other) == ([], 1)


def test_no_rows_are_no_readings() -> None:
    assert read(edge_impulse(np.empty((0, 3))), Wire()).readings == []


def spoilt(**changes: object) -> bytes:
    """Return a good recording of which some fields of the payload are changed."""
    body = json.loads((FOLDER / "mobile.json").read_bytes())
    body["payload"] |= changes
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        (b"", "not Edge Impulse's acquisition format"),
        (b"--", "not Edge Impulse's acquisition format"),
        (form(b"junk"), "not Edge Impulse's acquisition format"),
        (form(b"{}").replace(b"message", b"image"), "not Edge Impulse's"),
        (b'{"payload": 3}', "payload"),
        (spoilt(interval_ms=0), "interval_ms = 0: 1 to 2000 ms is allowed"),
        (spoilt(interval_ms=-1e300), "1 to 2000 ms"),
        (spoilt(interval_ms=None), "interval_ms"),
        (spoilt(device_name=3), "device_name"),
        (spoilt(sensors=3), "sensors"),
        (spoilt(values=[1, 2, 3]), r"values\[0\]: a list is needed"),
        (spoilt(values=[[1, 2]]), "row 0 has 2 of 3 numbers"),
        (spoilt(values=[[1, 2, 400]]), "±40 g"),
        (
            edge_impulse(np.zeros((1, 3)), iat=10**15),
            "iat: time = 1000000000000000.0: seconds since 1970",
        ),
        (edge_impulse(np.zeros((MAX_ROWS + 1, 3), int)), "131073 rows, at most 131072 are allowed"),
        (b" " * 5_000_000, "longer than 4194304 bytes: record for a shorter time"),
    ],
)
def test_nonsense_is_named(payload: bytes, word: str) -> None:
    with pytest.raises(DeviceError, match=word):
        read(payload, Wire())


def test_the_owner_of_nonsense() -> None:
    assert owner(spoilt(values=3)) == owner(form(spoilt(values=3))) == "phone_lx3k2j7a"
    assert owner(b"junk") == owner(b"--") == owner(spoilt(device_name=3)) == owner(b"{}") == ""


def test_spoilt_recordings_are_read_or_refused() -> None:
    for seed in range(500):
        names = ("mobile.json", "form.txt", "board.json", "sound.json")
        payload = mutated(random.Random(seed), *(f"edge-impulse/{name}" for name in names))
        owner(payload)
        with suppress(DeviceError):  # and nothing else
            read(payload, Wire())


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "No acceleration arrives"), (1, "is 1.0 s long"), (11, "")]
)
def test_what_a_recording_lacks_for_a_window(seconds: int, words: str) -> None:
    readings = [Reading("total", n / 50, (0.0, 0.0, 9.8)) for n in range(50 * seconds + 1)]
    found = lacks(Push("a", None, 0, readings if seconds else []), 10.0)
    assert words in found
    assert bool(words) == bool(found)
