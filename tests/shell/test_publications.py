"""What waits for the broker: bounded, in order, and there again after a lost connection."""

import asyncio

import pytest

from stream.mqtt.publications import Publication, Publications


def event(number: int) -> Publication:
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


async def test_events_come_in_order_and_before_state() -> None:
    waiting = Publications(10)
    for publication in (state("a", "old"), event(1), state("a", "new"), event(2)):
        assert waiting.put(publication) == 0
    assert await taken(waiting, 3) == ["1", "2", "new"]


async def test_the_oldest_event_makes_room_and_is_counted() -> None:
    waiting = Publications(2)
    assert [waiting.put(event(number)) for number in range(4)] == [0, 0, 1, 1]
    assert await taken(waiting, 2) == ["2", "3"]


async def test_what_was_not_acked_is_sent_again_first_but_state_is_not() -> None:
    waiting = Publications(10)
    for publication in (event(1), event(2), event(3), state("a", "s")):
        waiting.put(publication)
    first, _ = await waiting.take()
    await taken(waiting, 1)
    waiting.acked(first)
    waiting.reconnected()
    assert await taken(waiting, 2) == ["2", "3"]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await waiting.take()


async def acked(waiting: Publications, publications: list[Publication]) -> None:
    for publication in publications:
        waiting.put(publication)
    for _ in publications:
        waiting.acked((await waiting.take())[0])


async def test_what_was_acked_shortly_before_the_loss_is_sent_again() -> None:
    clock = Clock()
    waiting = Publications(10, clock)
    await acked(waiting, [kept(1)])
    clock.now += 3
    await acked(waiting, [kept(2), event(3), state("a", "s")])
    clock.now += 3
    waiting.put(kept(4))
    waiting.settled()
    clock.now += 600  # while the broker is away
    assert waiting.reconnected() == 0
    assert await taken(waiting, 2) == ["2", "4"]
    assert waiting.done == 2


async def test_what_is_sent_again_takes_no_room_from_what_was_never_acked() -> None:
    waiting = Publications(3)
    await acked(waiting, [kept(1), kept(2)])
    waiting.put(kept(3))
    waiting.put(kept(4))
    assert waiting.reconnected() == 0
    assert await taken(waiting, 3) == ["2", "3", "4"]
    for number in range(5, 20):
        await acked(waiting, [kept(number)])
    assert len(waiting._lately) == 3


async def test_all_sent_waits_for_the_last_ack() -> None:
    waiting = Publications(10)
    waiting.put(event(1))
    waiting.put(state("a", "s"))
    numbers = [(await waiting.take())[0] for _ in range(2)]
    done = asyncio.create_task(waiting.all_sent())
    waiting.acked(numbers[0])
    await asyncio.sleep(0)
    assert not done.done()
    waiting.acked(numbers[1])
    async with asyncio.timeout(5):
        await done


async def test_a_reconnect_keeps_to_the_limit_and_counts() -> None:
    waiting = Publications(2)
    for number in range(2):
        waiting.put(event(number))
    await taken(waiting, 2)
    for number in range(2, 4):
        waiting.put(event(number))
    assert waiting.reconnected() == 2
    assert await taken(waiting, 2) == ["2", "3"]
