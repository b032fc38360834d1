"""What waits for the broker: bounded, in order, and there again after a lost connection."""

import asyncio

import pytest

from stream.mqtt.publications import Publication, Publications


def error(number: int) -> Publication:
    return Publication("t", str(number), retain=False)


def kept(position: int) -> Publication:
    return Publication("t", str(position), retain=False, position=position)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def state(topic: str, payload: str) -> Publication:
    return Publication(topic, payload, retain=True)


async def taken(waiting: Publications, count: int) -> list[str]:
    async with asyncio.timeout(5):
        return [str((await waiting.take())[1].payload) for _ in range(count)]


async def lacking(waiting: Publications) -> int | None:
    """Return after which position the history is to be read now, if it is."""
    try:
        async with asyncio.timeout(0):
            return await waiting.lacking()
    except TimeoutError:
        return None


async def nothing_to_send(waiting: Publications) -> bool:
    try:
        async with asyncio.timeout(0):
            await waiting.take()
    except TimeoutError:
        return True
    return False


async def acked(waiting: Publications, *publications: Publication) -> list[bool]:
    for publication in publications:
        waiting.put(publication)
    return [waiting.acked((await waiting.take())[0]) for _ in publications]


async def test_events_come_in_order_and_before_state() -> None:
    waiting = Publications(10)
    for publication in (state("a", "old"), kept(1), state("a", "new"), error(2)):
        assert waiting.put(publication) == 0
    assert await taken(waiting, 3) == ["1", "2", "new"]


async def test_what_has_no_room_is_left_to_the_history() -> None:
    waiting = Publications(2)
    assert [waiting.put(kept(position)) for position in range(1, 5)] == [0] * 4
    assert await lacking(waiting) is None  # as long as anything waits here
    assert await taken(waiting, 2) == ["1", "2"]
    waiting.put(kept(5))  # there may be room, but not before 3 and 4
    assert await lacking(waiting) == 2
    waiting.fill([kept(3), kept(4)], 4, last=False)
    assert await taken(waiting, 2) == ["3", "4"]
    assert await lacking(waiting) == 4
    waiting.fill([kept(5)], 5, last=True)
    waiting.put(kept(6))
    assert await taken(waiting, 2) == ["5", "6"]
    assert await lacking(waiting) is None


async def test_errors_without_room_are_dropped_and_counted() -> None:
    waiting = Publications(2)
    assert [waiting.put(error(number)) for number in range(4)] == [0, 0, 1, 1]
    assert await taken(waiting, 2) == ["0", "1"]


async def test_an_error_that_was_not_acked_is_sent_again_but_state_is_not() -> None:
    waiting = Publications(10)
    for publication in (error(1), error(2), error(3), state("a", "s")):
        waiting.put(publication)
    first, _ = await waiting.take()
    await taken(waiting, 1)
    waiting.acked(first)
    assert waiting.reconnected() == 0
    assert await taken(waiting, 2) == ["2", "3"]
    assert await nothing_to_send(waiting)


async def test_a_reconnect_keeps_to_the_limit_and_counts() -> None:
    waiting = Publications(2)
    for number in range(2):
        waiting.put(error(number))
    await taken(waiting, 2)
    for number in range(2, 4):
        waiting.put(error(number))
    assert waiting.reconnected() == 2
    assert await taken(waiting, 2) == ["0", "1"]


async def test_after_a_loss_the_history_comes_before_state() -> None:
    waiting = Publications(10)
    waiting.put(kept(1))
    waiting.reconnected()
    waiting.put(kept(2))
    waiting.put(state("a", "s"))
    assert await nothing_to_send(waiting)
    assert await lacking(waiting) == 0
    waiting.fill([kept(1), kept(2)], 2, last=True)
    assert await taken(waiting, 3) == ["1", "2", "s"]


async def test_where_much_is_behind_state_comes_between_its_parts() -> None:
    waiting = Publications(10)
    waiting.begin(0)
    waiting.put(state("a", "s"))
    waiting.fill([kept(1), kept(2)], 2, last=False)
    assert await taken(waiting, 3) == ["1", "2", "s"]


async def test_what_was_acked_shortly_before_the_loss_is_sent_again() -> None:
    clock = Clock()
    waiting = Publications(10, clock)
    await acked(waiting, kept(1))
    clock.now += 3
    await acked(waiting, kept(2), error(3), state("a", "s"))
    clock.now += 3
    waiting.put(kept(4))
    waiting.settled()
    clock.now += 600  # while the broker is away
    waiting.reconnected()
    assert await lacking(waiting) == waiting.done == 1


async def test_states_go_out_between_the_parts() -> None:
    """However fast the next part is there; and no more than wait then, or they would hold it up."""
    waiting = Publications(10)
    waiting.begin(0)
    waiting.fill([kept(1)], 1, last=False)
    for n in range(3):
        waiting.put(state(f"{n}", f"s{n}"))
    assert await taken(waiting, 1) == ["1"]
    for n in range(3):
        assert await lacking(waiting) is None
        assert await taken(waiting, 1) == [f"s{n}"]
        waiting.put(state(f"more {n}", "s"))
    assert await lacking(waiting) == 1


async def test_an_error_before_the_first_part_holds_up_nothing() -> None:
    waiting = Publications(10)
    waiting.begin(0)
    waiting.put(error(1))
    waiting.put(state("a", "s"))
    assert await taken(waiting, 1) == ["1"]
    assert await lacking(waiting) == 0


async def test_who_leaves_while_behind_says_goodbye_all_the_same() -> None:
    waiting = Publications(10)
    waiting.begin(0)
    waiting.fill([kept(n) for n in range(1, 6)], 5, last=False)
    number, _ = await waiting.take()
    waiting.leave()
    waiting.put(state("status", "offline"))
    waiting.put(kept(9))
    waiting.fill([kept(6)], 6, last=True)  # that was on its way
    numbers = [number, (await waiting.take())[0]]
    assert await nothing_to_send(waiting)
    assert await lacking(waiting) is None
    for number in numbers:
        waiting.acked(number)
    async with asyncio.timeout(5):
        await waiting.all_sent()
    assert waiting.done == 1  # the next start goes on after it


async def test_who_leaves_and_keeps_up_sends_all() -> None:
    waiting = Publications(10)
    waiting.put(kept(1))
    waiting.leave()
    waiting.put(state("status", "offline"))
    assert await taken(waiting, 2) == ["1", "offline"]


async def test_what_was_acked_long_before_the_loss_is_not_sent_again() -> None:
    clock = Clock()
    waiting = Publications(10, clock)
    for position in range(1, 100):
        await acked(waiting, kept(position))
        clock.now += 0.01
    assert len(waiting._lately) < 5
    clock.now += 5
    waiting.settled()
    waiting.reconnected()
    assert await lacking(waiting) == 99


async def test_done_is_where_everything_before_is_acked() -> None:
    waiting = Publications(10)
    for position in (1, 2, 4):  # 3 is a hole in the history
        waiting.put(kept(position))
    numbers = [(await waiting.take())[0] for _ in range(3)]
    assert [waiting.acked(numbers[n]) for n in (1, 0, 2, 2)] == [False, True, True, False]
    assert waiting.done == 4
    waiting.begin(2)
    assert waiting.done == 2
    assert not waiting.acked(numbers[0])  # of a connection that is over


async def test_all_sent_waits_for_the_last_ack() -> None:
    waiting = Publications(10)
    waiting.put(error(1))
    waiting.put(state("a", "s"))
    numbers = [(await waiting.take())[0] for _ in range(2)]
    done = asyncio.create_task(waiting.all_sent())
    waiting.acked(numbers[0])
    await asyncio.sleep(0)
    assert not done.done()
    waiting.acked(numbers[1])
    async with asyncio.timeout(5):
        await done
    waiting.begin(0)
    with pytest.raises(TimeoutError):  # what the history has may not be sent yet
        async with asyncio.timeout(0):
            await waiting.all_sent()
