"""What devices owe: no frame after one that was refused is taken before it."""

import pytest

from stream import wire
from stream.mqtt.owed import MAX_SESSIONS, Owed
from stream.wire.binary import encode_binary
from tests.core.streams import readings


def test_nothing_after_a_refused_frame_is_taken_until_it_came_again() -> None:
    owed = Owed(10)
    assert owed.refuse("a", "s", 5, "")
    assert [owed.before("a", "s", seq) for seq in (4, 5, 6, 900)] == [None, None, 5, 5]
    assert not owed.refuse("a", "s", 3, "")
    assert owed.before("a", "s", 4) == 3
    owed.taken("a", "s", 4)
    assert owed.owes("a")
    owed.taken("a", "s", 3)
    assert not owed.owes("a")
    assert owed.before("a", "s", 900) is None


def test_each_session_and_device_has_its_own() -> None:
    owed = Owed(10)
    owed.refuse("a", "s", 5, "")
    assert not owed.refuse("a", "r", 2, "")
    assert [owed.before("a", session, 6) for session in ("s", "r", "q")] == [5, 2, None]
    assert owed.before("b", "s", 6) is None


def test_frames_without_a_session_go_to_the_one_named_last() -> None:
    owed = Owed(10)
    owed.refuse("a", "new", 0, "old")
    assert owed.before("a", None, 1) == 0
    assert owed.before("a", "old", 1) is None
    owed.taken("a", "old", 1)
    assert owed.before("a", None, 1) is None


def test_without_any_name_it_is_the_current_session() -> None:
    owed = Owed(10)
    owed.refuse("a", None, 5, "current")
    assert owed.before("a", "current", 6) == owed.before("a", None, 6) == 5
    owed.taken("a", None, 5)
    assert not owed.owes("a")


def test_what_is_remembered_is_bounded() -> None:
    owed = Owed(10)
    for number in range(100):
        owed.refuse("many", f"s{number}", 5, "")
        owed.refuse(f"d{number}", "s", 5, "")
    assert len(owed) == 10
    assert owed.before("d99", "s", 6) == 5
    for number in range(100):
        owed.refuse("many", f"s{number}", 5, "")
    kept = [number for number in range(100) if owed.before("many", f"s{number}", 6) == 5]
    assert kept == list(range(100 - MAX_SESSIONS, 100))


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        (b'{"seq": 7, "session": "s", "xyz": "nonsense"}', ("s", 7)),
        (b'{"seq": 7, "session": "no id!", "xyz": [[1, 2, 3]]}', (None, 7)),
        (b'{"xyz": [[1, 2, 3]]}', (None, None)),
        (b'{"seq": 4294967296}', (None, None)),
        (b'{"seq": 7, "xyz": [[1, 2', (None, 7)),
        (b"[" * 100_000, (None, None)),
        (b"", (None, None)),
        (b"\x01junk", (None, None)),
        (encode_binary(7, readings(2)), (None, 7)),
    ],
)
def test_where_a_frame_belongs_is_found_without_reading_it(
    payload: bytes, place: tuple[str | None, int | None]
) -> None:
    assert wire.place_of(payload) == place
