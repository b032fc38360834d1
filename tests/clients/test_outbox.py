"""Frames are kept until they are acked, through breaks and forgotten sessions."""

import numpy as np
import pytest

from clients.errors import NonsenseError
from clients.outbox import Outbox
from stream.wire import Frame
from stream.wire.incoming import Label
from tests.clients.made import samples


def filled(count: int, limit: int = 8) -> Outbox:
    outbox = Outbox(limit)
    for number in range(count):
        outbox.add(Frame(None, None, None, samples(number)))
    return outbox


def take_all(outbox: Outbox) -> list[tuple[int | None, float]]:
    """Return (seq, number of the frame by its samples) of everything that waits."""
    taken = []
    while outbox.waiting:
        taken.append(number_and_mark(outbox.take()))
    return taken


def number_and_mark(message: Frame | Label) -> tuple[int | None, float]:
    assert isinstance(message, Frame)
    return message.seq, float(message.xyz[0, 0])


def test_frames_are_numbered_in_order() -> None:
    assert take_all(filled(3)) == [(0, 0), (1, 1), (2, 2)]


def test_it_is_full_at_its_limit_and_has_room_after_an_ack() -> None:
    outbox = filled(2, limit=2)
    take_all(outbox)
    assert outbox.full
    with pytest.raises(OverflowError, match="2 frames are unacked, 2 are kept"):
        outbox.add(Frame(None, None, None, samples(9)))
    outbox.ack(0)
    assert not outbox.full


def test_an_ack_counts_for_all_before_it() -> None:
    outbox = filled(4)
    take_all(outbox)
    outbox.ack(2)
    assert len(outbox) == 1
    outbox.ack(0)  # late, and known already
    assert len(outbox) == 1


def test_an_ack_for_what_was_never_sent_is_nonsense() -> None:
    outbox = filled(2)
    outbox.take()
    with pytest.raises(NonsenseError, match="frame 1 was acked, but only 1 frames were sent"):
        outbox.ack(1)


def test_after_a_break_it_goes_on_at_next_seq() -> None:
    outbox = filled(5)
    take_all(outbox)
    outbox.ack(0)
    assert outbox.resume(3)
    assert take_all(outbox) == [(3, 3), (4, 4)]


def test_a_forgotten_session_is_numbered_anew() -> None:
    outbox = filled(5)
    take_all(outbox)
    outbox.ack(1)
    assert not outbox.resume(0)
    assert take_all(outbox) == [(0, 2), (1, 3), (2, 4)]
    assert outbox.session_base == 2 * 20


def test_a_label_is_kept_like_a_frame_and_told_anew_where_it_was_forgotten() -> None:
    outbox = Outbox(8)
    for label in (Label(None, 3.0, "Walking"), Label(None, 9.0, "Sitting")):
        outbox.add(label)
        outbox.add(Frame(None, None, None, samples(0)))
    assert [outbox.take().seq for _ in range(4)] == [0, 1, 2, 3]
    outbox.ack(1)
    assert not outbox.resume(0)
    again = [outbox.take() for _ in range(3)]
    assert again[:2] == [Label(0, 3.0, "Walking"), Label(1, 9.0, "Sitting")]
    outbox.ack(2)
    outbox.add(Label(None, 12.0, None))
    outbox.take()
    outbox.ack(3)
    assert not outbox.resume(0)
    assert not outbox.waiting  # an end needs no telling


def test_a_session_that_nothing_was_acked_of_is_not_forgotten() -> None:
    outbox = filled(2)
    take_all(outbox)
    assert outbox.resume(0)
    assert take_all(outbox) == [(0, 0), (1, 1)]


def test_a_session_of_another_process_goes_on_where_it_stands() -> None:
    outbox = Outbox(8)
    assert outbox.resume(57)
    outbox.add(Frame(None, None, None, samples(0)))
    assert outbox.take().seq == 57
    outbox.ack(57)
    assert not len(outbox)


def test_a_server_that_lost_acked_frames_is_not_sent_others_in_their_place() -> None:
    outbox = filled(4)
    take_all(outbox)
    outbox.ack(2)
    assert outbox.resume(1)
    assert take_all(outbox) == [(3, 3)]


def test_any_order_of_acks_and_breaks_loses_and_repeats_nothing() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        outbox, got, added = Outbox(6), dict[int, float](), 0
        while added < 30 or outbox:
            if added < 30 and not outbox.full:
                outbox.add(Frame(None, None, None, samples(added)))
                added += 1
            for _ in range(rng.integers(0, 4)):
                if outbox.waiting:
                    seq, mark = number_and_mark(outbox.take())
                    got.setdefault(seq or 0, mark)
            if got and rng.random() < 0.5:
                outbox.ack(max(got))
            elif rng.random() < 0.3:
                outbox.resume(len(got))
        assert got == {n: float(n) for n in range(30)}
