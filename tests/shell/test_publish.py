"""Listeners get what they asked for; a slow one loses its own messages only."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from stream import config
from stream.events import Prediction, Status
from stream.journal.entries import Query
from stream.journal.history import History
from stream.journal.journal import Journal
from stream.metrics import Metrics
from stream.outbox import ClosedError, Outbox
from stream.publish import Publisher

TIME = datetime(2026, 11, 22, tzinfo=UTC)


def prediction(number: int, device: str = "a") -> Prediction:
    return Prediction(
        id=f"{device}/s/{number}",
        device=device,
        session="s",
        window=number,
        start=40 * number,
        end=40 * number + 200,
        t=(2.0 * number, 2.0 * number + 10),
        time=TIME,
        activity="Walking",
        confidence=0.9,
        probabilities={"Walking": 0.9, "Jogging": 0.1},
        model="toy@0",
        latency_ms=1.0,
    )


def numbers(texts: list[str]) -> list[int]:
    return [json.loads(text)["window"] for text in texts]


async def waiting(outbox: Outbox) -> list[str]:
    """Take what waits, waveforms included."""
    texts = []
    while outbox._some.is_set():
        texts.append(await outbox.take())
    return texts


def publisher() -> Publisher:
    journal = Journal(config.Journal(), Metrics())
    return Publisher(History(journal), Metrics())


async def test_listeners_by_device_and_type() -> None:
    source, only_b, everything = publisher(), Outbox(10), Outbox(10)
    types = frozenset({"prediction"})
    with (
        source.listening(only_b, Query(frozenset({"b"}), types)),
        source.listening(everything, Query(types=types)),
    ):
        source.publish("a", prediction(0, "a"))
        source.publish("b", prediction(1, "b"))
        source.publish("b", Status(device="b", status="online"))
    source.publish("b", prediction(2, "b"))
    assert numbers(await waiting(only_b)) == [1]
    assert numbers(await waiting(everything)) == [0, 1]


async def test_a_slow_listener_is_told_how_much_it_missed() -> None:
    source, slow = publisher(), Outbox(3)
    with source.listening(slow, Query(types=frozenset({"prediction"}))):
        for number in range(10):
            source.publish("a", prediction(number))
    missed, *rest = await waiting(slow)
    assert json.loads(missed) == {"type": "missed", "count": 7}
    assert numbers(rest) == [7, 8, 9]
    assert b"gaitway_messages_missed_total 7.0" in source._metrics.render()


async def test_a_closed_outbox_gives_the_rest_first() -> None:
    outbox = Outbox(3)
    outbox.put("last words")
    outbox.close(1001, "going away")
    outbox.close(4000, "too late")
    assert await outbox.take() == "last words"
    with pytest.raises(ClosedError) as closed:
        await outbox.take()
    assert closed.value.code == 1001


async def test_take_waits() -> None:
    outbox = Outbox(3)
    taking = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    outbox.put("now")
    assert await taking == "now"
