"""What the live table and the plain lines say."""

import io
from datetime import timedelta

import msgspec
import pytest
from rich.console import Console

from clients.board import Board
from clients.lines import describe
from clients.messages import Back, Heard, Lost, Message
from clients.rows import duration, shorten
from stream.events import Error, Quality, State, Status
from tests.clients.made import START, ended, prediction, started


def drawn(*messages: Heard, width: int = 100, height: int = 30) -> str:
    board = Board()
    for message in messages:
        board.take(message)
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=False)
    console.print(board)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def state(device: str = "p", activity: str = "Walking", status: str = "online") -> State:
    return State(
        device=device,
        activity=activity,
        since=START,
        confidence=0.9,
        quality="good",
        status="online" if status == "online" else "offline",
    )


def test_a_device_is_shown_as_it_stands() -> None:
    line = drawn(state()).splitlines()[1]
    assert line.split()[:2] == ["p", "Walking"]
    assert "90%" in line
    assert "good" in line


def test_the_duration_goes_by_the_devices_own_time() -> None:
    shown = drawn(state(), prediction(60))
    assert (START + timedelta(seconds=130)) == prediction(60).time
    assert "2 min 10 s" in shown


def test_the_confidence_is_that_of_the_shown_activity() -> None:
    assert "25%" in drawn(state(), prediction(1, "Sitting", confidence=0.75))


def test_a_change_is_shown_and_told_below() -> None:
    lines = drawn(state(activity="Sitting"), started(3)).splitlines()
    assert lines[1].split()[:2] == ["p", "Walking"]
    assert "Sitting → Walking  90%" in lines[-1]


def test_advice_is_shown_where_the_signal_is_poor() -> None:
    poor = Quality(device="p", session="S", state="poor", rate_hz=9, gaps=0, late=0, advice="Do.")
    assert "Do." in drawn(state(), poor).splitlines()[1]
    good = Quality(device="p", session="S", state="good", rate_hz=20, gaps=0, late=0, advice="")
    assert "good" in drawn(state(), poor, good).splitlines()[1]


def test_advice_that_differs_by_its_numbers_is_no_news() -> None:
    board = Board()
    advices = ("Your rate is 9.4 Hz.", "Your rate is 9.1 Hz.", "The sensor repeats itself.")
    told = [
        board.take(
            Quality(device="p", session="S", state="poor", rate_hz=9, gaps=0, late=0, advice=advice)
        )
        for advice in advices
    ]
    assert [text is not None for text in told] == [True, False, True]
    assert "9.1 Hz" not in board.events[0].plain


def test_who_is_offline_comes_last() -> None:
    lines = drawn(state("a"), state("b"), Status(device="a", status="offline")).splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["b", "a"]
    assert "offline" in lines[2]


def test_more_devices_than_lines_are_counted() -> None:
    shown = drawn(*[state(f"p{n:03}") for n in range(50)], height=24)
    assert "… 40 more" in shown
    assert len(shown.splitlines()) <= 24


LONG = "wisdm-2019-1600"
ADVICE = "The sensor repeats the same reading: check that motion sensors are switched on."
POOR = Quality(device="p", session="S", state="poor", rate_hz=9, gaps=0, late=0, advice=ADVICE)


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_names_of_usual_length_are_whole_whatever_stands_beside_them(width: int) -> None:
    shown = drawn(state("p"), state(LONG, "Downstairs"), prediction(60), POOR, width=width)
    assert LONG in shown
    assert "Downstairs" in shown
    assert "2 min 10 s" in shown
    assert all(len(line) <= width for line in shown.splitlines())
    assert (ADVICE in shown.splitlines()[1]) == (width == 200)
    assert ADVICE in " ".join(shown.partition("\n\n")[2].split())


def test_a_name_longer_than_its_room_keeps_both_ends() -> None:
    names = ["3f0c1d52-7a44-4b1e-9a70-5a2c8e1f0001", "3f0c1d52-7a44-4b1e-9a70-5a2c8e1f0002"]
    rows = drawn(*map(state, names), width=60).splitlines()[1:3]
    assert [row.split()[0][-4:] for row in rows] == ["0001", "0002"]
    assert all(row.startswith("3f0c1d52-7") and "…" in row for row in rows)
    assert names[0] in drawn(*map(state, names), width=80)
    assert (shorten("abcdef", 6), shorten("abcdef", 5), shorten("abcdef", 4)) == (
        "abcdef",
        "ab…ef",
        "ab…f",
    )


def test_folded_lines_push_out_older_ones_rather_than_the_newest() -> None:
    other = msgspec.structs.replace(POOR, advice="Do.")
    told: list[Heard] = [POOR, other] * 8
    shown = drawn(*told, started(3), width=50, height=24)
    assert len(shown.splitlines()) <= 24
    assert "Sitting → Walking" in shown.splitlines()[-1]


def test_a_lost_connection_is_told_and_nothing_looks_live_until_it_is_back() -> None:
    lost, back = Lost("ws://h:1", START), Back("ws://h:1", START)
    shown = drawn(state(), lost).splitlines()
    assert "connection to ws://h:1 lost, reconnecting" in shown[-1]
    assert "good" not in shown[1]
    shown = drawn(state("a"), state("b"), lost, back, state("b")).splitlines()
    assert "connected to ws://h:1 again" in shown[-1]
    assert [(line.split()[0], line.split()[-1]) for line in shown[1:3]] == [
        ("b", "good"),
        ("a", "offline"),
    ]


def test_long_times_are_told_in_hours() -> None:
    assert [duration(s) for s in (None, 59.9, 60, 3599, 3600, 90_061)] == [
        "",
        "59 s",
        "1 min  0 s",
        "59 min 59 s",
        "1 h  0 min",
        "25 h  1 min",
    ]


def test_nobody_there_yet_is_said() -> None:
    assert "no device yet" in drawn()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (started(3), "Sitting → Walking  90%"),
        (ended("close"), "Walking ended with the session after 1 min  5 s"),
        (Status(device="p", status="online"), "online"),
    ],
)
def test_events_are_one_line(message: Message, words: str) -> None:
    text = describe(message)
    assert text is not None
    assert words in text.plain
    assert "p" in text.plain


@pytest.mark.parametrize("message", [prediction(1), ended("4"), Error(code="c", message="m")])
def test_what_is_no_event_is_no_line(message: Message) -> None:
    assert describe(message) is None
