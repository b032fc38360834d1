"""phyphox's answers: golden ones, nonsense, and where reading its buffers has come to."""

from contextlib import suppress
from pathlib import Path

import pytest

from stream.config import Wire
from stream.errors import DeviceError
from stream.sensor_apps.dialects import phyphox
from stream.sensor_apps.dialects.phyphox import Answer, Cursor, decode
from stream.sensor_apps.readings import Reading
from tests.core.test_sensor_server import mutated

GOLDEN = Path(__file__).parents[1] / "data" / "phyphox"


def answer(name: str) -> Answer:
    return decode((GOLDEN / name).read_bytes(), Wire())


def test_new_values() -> None:
    new = answer("partial.json")
    assert new.readings == [
        Reading("total", 12.304112, (-0.69123459, 12.68, 0.5)),
        Reading("total", 12.324083, (5.01, 11.26, 0.95)),  # between them the sensor gave no number
    ]
    assert new == Answer("0c35a1", True, False, False, 12.324083, new.readings)
    assert phyphox.read((GOLDEN / "partial.json").read_bytes(), Wire()).readings == new.readings


def test_the_newest_time_and_a_countdown() -> None:
    assert answer("last.json") == Answer("0c35a1", False, True, False, 12.324083, [])


def test_cleared() -> None:
    assert answer("cleared.json") == Answer("0c35a1", False, False, True, None, [])


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"<html>", "not an answer of phyphox"),
        (b'{"buffer": {}}', "status is missing"),
        (b'{"buffer": {}, "status": {"measuring": true}}', "open the experiment .Acceleration"),
        (
            b'{"buffer": {"acc_time": {"buffer": [1]}, "accX": {"buffer": [1]}}, '
            b'"status": {"measuring": true}}',
            "the answer has no accY, accZ",
        ),
        (
            b'{"buffer": {"acc_time": {"buffer": [1e12]}}, "status": {"measuring": true}}',
            "acc_time = 1000000000000.0: seconds",
        ),
        (
            b'{"buffer": {"acc_time": {"buffer": [1]}, "accX": {"buffer": [500]}, "accY": '
            b'{"buffer": [1]}, "accZ": {"buffer": [1]}}, "status": {"measuring": true}}',
            "within \u00b140 g is allowed",
        ),
        (b" " * (phyphox.MAX_BYTES + 1), "an answer has at most"),
    ],
)
def test_nonsense_is_refused_with_a_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(DeviceError, match=reason):
        decode(payload, Wire())


@pytest.mark.parametrize("start", range(0, 2000, 500))
def test_nothing_but_a_device_error_comes_of_nonsense(start: int) -> None:
    refused = 0
    for seed in range(start, start + 500):
        with suppress(DeviceError):
            decode(mutated(seed, "partial.json", GOLDEN), Wire())
            continue
        refused += 1
    assert refused > 250


def readings(*times: float) -> list[Reading]:
    return [Reading("total", t, (0.0, 9.8, 0.0)) for t in times]


def told(*times: float, session: str = "s", measuring: bool = True, whole: bool = False) -> Answer:
    newest_t = times[-1] if times else None
    return Answer(session, measuring, False, whole, newest_t, readings(*times))


def newest(t: float | None, session: str = "s", *, measuring: bool = True) -> Answer:
    return Answer(session, measuring, False, False, t, [])


def reading_from(t: float | None, *, measuring: bool = True) -> Cursor:
    """Return a cursor that has looked where the phone is."""
    cursor = Cursor()
    assert cursor.query() == {"acc_time": ""}
    cursor.feed(newest(t, measuring=measuring))
    return cursor


def test_what_was_there_on_the_first_contact_is_left_alone() -> None:
    cursor = reading_from(100.0)
    assert cursor.query() == {
        "acc_time": "100.0",
        "accX": "100.0|acc_time",
        "accY": "100.0|acc_time",
        "accZ": "100.0|acc_time",
    }
    assert cursor.feed(told(100.01, 100.02)).readings == readings(100.01, 100.02)
    assert cursor.query()["accZ"] == "100.02|acc_time"


def test_empty_buffers_are_read_from_their_beginning() -> None:
    cursor = reading_from(None)
    assert set(cursor.query().values()) == {"full"}
    assert cursor.feed(told(0.0, 0.01)).readings == readings(0.0, 0.01)
    assert cursor.query()["acc_time"] == "0.01"


def test_what_was_taken_is_not_taken_again() -> None:
    cursor = reading_from(1.0)
    cursor.feed(told(2.0, 3.0))
    assert cursor.feed(told(3.0, 4.0)).readings == readings(4.0)


def test_a_phone_that_doesnt_measure_is_started_once_a_session() -> None:
    cursor = Cursor()
    assert cursor.feed(newest(None, measuring=False)).start
    assert cursor.feed(newest(None, measuring=False)).start  # it couldn't be told
    cursor.started()
    assert not cursor.feed(newest(None, measuring=False)).start  # somebody paused it
    assert cursor.feed(told(measuring=False, session="other")).start
    cursor.started()
    assert not cursor.feed(told(measuring=False, session="other")).start


def test_what_was_seen_to_measure_is_never_started() -> None:
    cursor = Cursor()
    assert not cursor.feed(newest(None)).start
    assert not cursor.feed(newest(None, measuring=False)).start


def test_a_countdown_is_not_disturbed() -> None:
    assert not Cursor().feed(answer("last.json")).start


def test_what_follows_a_pause_begins_a_session() -> None:
    cursor = reading_from(1.0)
    assert not cursor.feed(told(2.0)).anew
    assert not cursor.feed(told(3.0, measuring=False)).anew
    assert not cursor.feed(told()).anew
    cursor.feed(newest(3.0))
    after = cursor.feed(told(3.01))
    assert after.anew
    assert after.readings == readings(3.01)
    assert not cursor.feed(told(3.02)).anew


def test_a_clear_that_the_phone_tells_of() -> None:
    cursor = reading_from(1.0)
    cursor.feed(told(50.0))
    cursor.feed(told(measuring=False, whole=True))
    assert set(cursor.query().values()) == {"full"}
    after = cursor.feed(told(0.0, 0.5, whole=True))
    assert after.anew
    assert after.readings == readings(0.0, 0.5)
    assert cursor.query()["acc_time"] == "0.5"


def test_a_clear_that_another_listener_was_told_of() -> None:
    cursor = reading_from(1.0)
    cursor.feed(told(50.0))
    assert cursor.feed(told()).readings == []  # beyond 50 s there is nothing any more
    assert cursor.query() == {"acc_time": ""}
    cursor.feed(newest(0.7))
    assert set(cursor.query().values()) == {"full"}
    after = cursor.feed(told(0.0, 0.9, whole=True))
    assert after.anew
    assert after.readings == readings(0.0, 0.9)


def test_a_sensor_that_rests_is_no_clear() -> None:
    cursor = reading_from(50.0)
    cursor.feed(told())
    cursor.feed(newest(50.0))
    assert cursor.query()["acc_time"] == "50.0"
    assert not cursor.feed(told(50.1)).anew


def test_another_experiment_is_read_from_its_beginning() -> None:
    cursor = reading_from(50.0)
    cursor.feed(told(51.0))
    assert cursor.feed(told(60.0, session="other")).readings == []
    assert set(cursor.query().values()) == {"full"}
    after = cursor.feed(told(0.1, 60.0, session="other", whole=True))
    assert after.anew
    assert after.readings == readings(0.1, 60.0)


def test_what_cannot_be_read_is_given_up() -> None:
    cursor = reading_from(50.0)
    cursor.skip()
    assert cursor.query() == {"acc_time": ""}
    cursor.feed(newest(70.0))
    after = cursor.feed(told(70.1))
    assert not after.anew
    assert after.readings == readings(70.1)
