"""What waits for the broker: bounded, in order, and there again after a lost connection."""

import asyncio

import pytest

from stream.publications import Publication, Publications


def event(number: int) -> Publication:
    return Publication("t", str(number), retain=False)


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
