"""Predictions become activities: with hysteresis, dated back, over gaps and clocks set back.

A scenario is a drawing of one letter a window: `W`alking, `S`itting, `?` nothing sure, `.` no
window, as across a gap. Windows are 10 s long and begin 2 s apart, the first at 0 s.
"""

import numpy as np
import pytest

from stream import config
from stream.events import UNKNOWN, Ended, Started
from stream.session import Session, SessionOptions
from stream.signal.window import Window
from stream.tracker import choose
from tests.core.streams import ACTIVITIES, OPTIONS, SIGNAL, frame, readings

NAMES = {"W": "Walking", "S": "Sitting", "J": "Jogging", "?": UNKNOWN}


def window(number: int, t: float | None = None) -> Window:
    begin = 2.0 * number if t is None else t
    xyz = np.zeros((200, 3), np.float32)
    return Window(number, number * 40, number * 40 + 200, (begin, begin + 10), begin + 10, xyz)


def answer(letter: str) -> "np.typing.NDArray[np.float32]":
    if letter == "?":
        return np.full(6, 1 / 6, np.float32)
    probabilities = np.full(6, 0.02, np.float32)
    probabilities[ACTIVITIES.index(NAMES[letter])] = 0.9
    return probabilities


class Story:
    """A session whose model answers by a drawing."""

    def __init__(self, options: SessionOptions) -> None:
        self.session = Session("d", "s", options)
        self.session.feed(frame(readings(1)))
        self.events: list[Ended | Started] = []
        self._number = 0

    def tell(self, drawing: str, shift_s: float = 0.0) -> "Story":
        """Decide on a window for each letter; device time is `shift_s` from its usual."""
        for letter in drawing:
            if letter != ".":
                seen = window(self._number, 2.0 * self._number + shift_s)
                prediction = self.session.predict(seen, answer(letter))
                self.events += self.session.decide(prediction)
            self._number += 1
        return self

    @property
    def transitions(self) -> list[tuple[str, str, float]]:
        """(before, after, at) of each pair of events."""
        ended, started = self.events[::2], self.events[1::2]
        assert all(isinstance(event, Ended) for event in ended)
        return [
            (a.activity, b.activity, b.t)
            for a, b in zip(ended, started, strict=True)
            if isinstance(b, Started)
        ]


def told(drawing: str, confirm: int = 2, min_confidence: float = 0.5) -> Story:
    """Tell a drawing to a tracker that takes `confirm` of its sure predictions for a change."""
    tracker = config.Tracker(min_confidence=min_confidence, confirm_sum=0.8 * confirm)
    return Story(SessionOptions(ACTIVITIES, "m", SIGNAL, tracker)).tell(drawing)


# Choosing


@pytest.mark.parametrize(
    ("probabilities", "name"),
    [
        ((0.6, 0.4), "A"),
        ((0.4, 0.6), "B"),
        ((0.49994, 0.50006), "B"),  # to four decimals 0.4999 and 0.5001
        ((0.500049, 0.499951), "A"),  # 0.5 and 0.5: the first
        ((0.499951, 0.500049), "A"),
        ((0.49996, 0.2), "A"),  # 0.5 is enough
        ((0.49994, 0.2), UNKNOWN),
        ((0.0, 0.0), UNKNOWN),
    ],
)
def test_an_activity_is_chosen_on_four_decimals(
    probabilities: tuple[float, float], name: str
) -> None:
    assert choose(np.array(probabilities, np.float32), ("A", "B"), 0.5) == name


def test_the_last_bits_of_a_batch_choose_nothing() -> None:
    rng = np.random.default_rng(0)
    exact = np.round(rng.dirichlet(np.ones(6), 500), 4)
    for row in exact:
        noisy = (row + rng.uniform(-3e-6, 3e-6, 6)).astype(np.float32)
        assert choose(noisy, ACTIVITIES, 0.5) == choose(row, ACTIVITIES, 0.5)


# Hysteresis and back-dating


@pytest.mark.parametrize(
    ("drawing", "transitions"),
    [
        ("W", []),
        ("WW", [(UNKNOWN, "Walking", 0.0)]),
        # The middle of the first S window, 6 + 5 s, less half a hop.
        ("WWWSS", [(UNKNOWN, "Walking", 0.0), ("Walking", "Sitting", 10.0)]),
        ("WWWSWSWS", [(UNKNOWN, "Walking", 0.0)]),
        ("WWWSJSJ", [(UNKNOWN, "Walking", 0.0)]),
        ("WWSJJ", [(UNKNOWN, "Walking", 0.0), ("Walking", "Jogging", 10.0)]),
        ("WWSWSS", [(UNKNOWN, "Walking", 0.0), ("Walking", "Sitting", 12.0)]),
        ("?WW", [(UNKNOWN, "Walking", 6.0)]),
        ("WW????", [(UNKNOWN, "Walking", 0.0), ("Walking", UNKNOWN, 8.0)]),
        ("WW???WW", [(UNKNOWN, "Walking", 0.0)]),  # nothing sure weighs half as much
        ("WW?WW", [(UNKNOWN, "Walking", 0.0)]),
        ("????", []),
        ("WSWSWS", []),
    ],
)
def test_two_in_a_row_confirm(drawing: str, transitions: list[tuple[str, str, float]]) -> None:
    assert told(drawing).transitions == transitions


def test_one_or_three_in_a_row_where_the_operator_says_so() -> None:
    assert told("WWSW", confirm=1).transitions == [
        (UNKNOWN, "Walking", 0.0),
        ("Walking", "Sitting", 8.0),
        ("Sitting", "Walking", 10.0),
    ]
    assert told("WWSSWW", confirm=3).transitions == []
    assert told("WWWSSWSSS", confirm=3).transitions[1] == ("Walking", "Sitting", 16.0)


def test_unsure_predictions_take_longer_to_confirm() -> None:
    story = Story(SessionOptions(ACTIVITIES, "m", SIGNAL, config.Tracker(confirm_sum=2.0)))
    sure, unsure = np.full(6, 0.02, np.float32), np.full(6, 0.08, np.float32)
    sure[5], unsure[2] = 0.9, 0.6
    confirmed = []
    for number, row in enumerate([sure] * 3 + [unsure] * 4):
        prediction = story.session.predict(window(number), row)
        confirmed += [(number, e.activity) for e in story.session.decide(prediction)]
    assert confirmed == [
        *[(2, UNKNOWN), (2, "Walking")],  # 3 x 0.9
        *[(6, "Walking"), (6, "Sitting")],  # 4 x 0.6
    ]


@pytest.mark.parametrize("min_confidence", [0.5, 0.9, 0.99])
def test_unknown_is_confirmed_however_much_is_asked_of_the_others(min_confidence: float) -> None:
    tracker = config.Tracker(min_confidence=min_confidence)
    story = Story(SessionOptions(ACTIVITIES, "m", SIGNAL, tracker))
    story.session.decide(story.session.predict(window(0), np.eye(6, dtype=np.float32)[5]))
    nearly = np.zeros(6, np.float32)
    nearly[5] = min_confidence - 0.01
    for number in range(1, 4):
        story.session.decide(story.session.predict(window(number), np.eye(6, dtype=np.float32)[5]))
    assert story.session.activity == "Walking"
    for number in range(4, 16):
        story.session.decide(story.session.predict(window(number), nearly))
    assert story.session.activity == UNKNOWN


def test_the_sum_is_taken_on_four_decimals() -> None:
    def confirmed(confidence: float) -> bool:
        story = Story(SessionOptions(ACTIVITIES, "m", SIGNAL, config.Tracker(confirm_sum=1.8)))
        row = np.zeros(6, np.float32)
        row[5] = confidence
        return any(
            story.session.decide(story.session.predict(window(number), row)) for number in (0, 1)
        )

    assert confirmed(0.89996)
    assert not confirmed(0.89994)


def test_a_low_confidence_is_unknown_where_the_operator_says_so() -> None:
    assert told("WW", min_confidence=0.95).transitions == []
    assert told("WW" + 10 * "?", min_confidence=0.1).transitions[1][1] == ACTIVITIES[0]


def test_no_activity_begins_before_the_one_that_it_ends() -> None:
    for drawing in ("WWSSWWSSWW", "WSSJJW", "?W?WW??WW"):
        for confirm in (1, 2):
            story = told(drawing, confirm=confirm)
            for ended in story.events[::2]:
                assert isinstance(ended, Ended)
                assert ended.t >= ended.started_t
                assert ended.duration_s == pytest.approx(ended.t - ended.started_t)


# Events


def test_events_come_in_pairs_with_ids_made_of_the_window() -> None:
    unknown, walking, walked, sitting = told("WWWSS").events
    assert [e.id for e in (unknown, walking)] == ["d/s/1/ended", "d/s/1/started"]
    assert [e.id for e in (walked, sitting)] == ["d/s/4/ended", "d/s/4/started"]
    assert isinstance(walked, Ended)
    assert isinstance(sitting, Started)
    assert (walked.activity, walked.started_t, walked.duration_s) == ("Walking", 0.0, 10.0)
    assert (sitting.activity, sitting.previous) == ("Sitting", "Walking")
    assert sitting.confidence == pytest.approx(0.9)
    assert walked.t == sitting.t
    assert walked.time == sitting.time
    assert sitting.time.timestamp() == 10.0  # utc and device time begin together here


@pytest.mark.parametrize("confirm", [1, 2])
def test_ids_are_unique_whatever_happens(confirm: int) -> None:
    story = told("WWSS", confirm=confirm)
    story.tell("..........W", 0).tell("WWSS", 700).tell("JJ", -300).tell("S?S??W", 900)
    ids = [event.id for event in [*story.events, *story.session.close()]]
    assert len(ids) == len(set(ids))
    afterwards = UNKNOWN
    for before, after, _ in story.transitions:
        assert before == afterwards
        assert before != after
        afterwards = after
    assert afterwards == story.session.activity


def test_the_last_activity_ends_with_the_session() -> None:
    story = told("WW")
    story.session.feed(frame(readings(240)), arrived=100.0)
    (ended,) = story.session.close()
    assert (ended.id, ended.activity) == ("d/s/close/ended", "Walking")
    assert (ended.started_t, ended.t, ended.duration_s) == (0.0, 12.0, 12.0)
    # The first frame came at 0; when the last one came plays no part, so a replay at any speed
    # ends when the recording did.
    assert ended.time.timestamp() == 12.0


def test_a_session_without_samples_ends_nothing() -> None:
    assert Session("d", "s", OPTIONS).close() == []


# Gaps and clocks


def test_an_activity_goes_on_over_a_short_gap() -> None:
    #  WWW.......WWSS
    story = told("WWW.......WWSS")
    assert story.transitions == [(UNKNOWN, "Walking", 0.0), ("Walking", "Sitting", 28.0)]


def test_no_run_goes_across_a_gap() -> None:
    assert told("WWWS.......SWWW").transitions == [(UNKNOWN, "Walking", 0.0)]


def test_what_follows_a_gap_at_once_is_dated_to_its_first_window() -> None:
    #  WWW.......SS  window 10 begins at 20 s
    assert told("WWW.......SS").transitions[1] == ("Walking", "Sitting", 20.0)


def test_after_a_gap_longer_than_expires_s_the_activity_is_over() -> None:
    #  windows 0 to 2, the last ends at 14 s; then window 10 at 720 s
    story = told("WWW.......").tell("W", 700)
    assert story.transitions == [(UNKNOWN, "Walking", 0.0), ("Walking", UNKNOWN, 14.0)]
    story.tell("W", 700)
    assert story.transitions[2:] == [(UNKNOWN, "Walking", 720.0)]
    last = story.events[-2]
    assert isinstance(last, Ended)
    assert (last.started_t, last.t) == (14.0, 720.0)


def test_the_times_of_events_go_on_where_a_clock_runs_back() -> None:
    story, shifts = told(""), [3600.0] * 3 + [0.0] * 6
    for number, (letter, shift_s) in enumerate(zip("WWWSSSWWW", shifts, strict=True)):
        seen = window(number, 2.0 * number + shift_s)._replace(utc=1e9 + 2 * number)
        story.events += story.session.decide(story.session.predict(seen, answer(letter)))
    times = [event.time for event in story.events]
    assert [event.activity for event in story.events[1::2]] == [
        "Walking",
        UNKNOWN,
        "Sitting",
        "Walking",
    ]
    assert times == sorted(times)


def test_exactly_expires_s_is_not_longer() -> None:
    story = told("WWW.......").tell("W", 594)  # 614 s, 600 s after 14 s
    assert len(story.transitions) == 1
    assert len(told("WWW.......").tell("W", 594.001).transitions) == 2


def test_a_clock_set_back_ends_the_activity_and_starts_afresh() -> None:
    story = told("WWW.......").tell("WW", -20)
    assert story.transitions == [
        (UNKNOWN, "Walking", 0.0),
        ("Walking", UNKNOWN, 14.0),
        (UNKNOWN, "Walking", 0.0),
    ]
    for event in story.events:
        assert event.time.timestamp() <= 12  # no event lies in the future of its prediction


def test_time_passing_between_consecutive_numbers_is_a_gap() -> None:
    """Where the hop is the window, numbers go on over a gap that ends at a multiple of it."""
    story = told("WWWS").tell("SWW", 12)
    assert story.transitions == [(UNKNOWN, "Walking", 0.0)]
