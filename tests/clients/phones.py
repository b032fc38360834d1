"""What tests of phones do again and again."""

import asyncio
from contextlib import aclosing

from clients import Phone
from stream.events import Prediction
from stream.wire import Frame
from tests.clients.made import samples


def numbers(frames: list[Frame]) -> list[tuple[int | None, float]]:
    """Return (seq, number that the samples tell) of each frame."""
    return [(frame.seq, float(frame.xyz[0, 0])) for frame in frames]


async def send(phone: Phone, *frames: int) -> None:
    for number in frames:
        await phone.send(samples(number))


async def predictions(phone: Phone, wanted: int) -> list[Prediction]:
    """Read messages until so many predictions have come."""
    heard: list[Prediction] = []
    async with asyncio.timeout(5), aclosing(phone.messages()) as messages:
        async for message in messages:
            heard += [message] if isinstance(message, Prediction) else []
            if len(heard) == wanted:
                break
    return heard
