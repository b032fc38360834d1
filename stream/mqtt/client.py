"""aiomqtt's client, which can be cancelled at any moment. Knows no topic and no setting."""

import asyncio
import math
from collections.abc import Awaitable
from typing import TypeVar

import aiomqtt

T = TypeVar("T")


class Client(aiomqtt.Client):
    """A client whose calls never swallow a cancellation.

    aiomqtt awaits the broker's answers with `asyncio.wait_for`, which until Python 3.12 returns as
    if nothing were where the answer comes in the very moment of the cancellation
    (github.com/python/cpython/issues/86296). A task that is told to end only once then never does.
    """

    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109  its name
        seconds = self.timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(None if seconds == math.inf else seconds):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError(f"the broker did not answer within {seconds:g} s") from None
