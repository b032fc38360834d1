"""What the live table and the plain lines say."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from clients.board import Board, describe
from clients.messages import Message
from stream.events import Error, Quality, State, Status
from tests.clients.made import START, ended, prediction, started


def drawn(*messages: Message, height: int = 30) -> str:
    board = Board()
    for message in messages:
        board.take(message)
    console = Console(file=io.StringIO(), width=100, height=height, force_terminal=False)
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
