"""aiomqtt's client, with manual acks, which can be cancelled. Knows no topic and no setting."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeVar

import aiomqtt
from paho.mqtt import client as mqtt

T = TypeVar("T")
KEEPALIVE_S = 60  # of silence before a broker is asked whether it is there, and for its answer
MAX_UNREAD = 2_000  # messages of QoS 0 that wait to be read
ANSWER_S = 10.0  # for the broker's answer to anything else


class Client(aiomqtt.Client):
    """A client that loses no message and swallows no cancellation.

    A message counts as taken once `taken` was called; else the broker sends it again on the next
    connection of a persistent session. By itself aiomqtt acks what is still in its queue, and
    drops that with the connection.

    aiomqtt awaits the broker's answers with `asyncio.wait_for`, which until Python 3.12 returns as
    if nothing were where the answer comes in the very moment of the cancellation
    (github.com/python/cpython/issues/86296). A task that is told to end only once then never does.
    """

    def __init__(self, hostname: str, port: int = 1883, **options: Any) -> None:  # noqa: ANN401  aiomqtt names them
        super().__init__(hostname, port, **options)
        self.on_drop: Callable[[], None] = lambda: None
        # aiomqtt leaves manual acks to paho, and they must be chosen before connecting.
        self._client.manual_ack_set(True)

    async def __aenter__(self) -> Self:
        try:
            return await super().__aenter__()
        except BaseException:  # aiomqtt leaves the connection up where this is cancelled
            self._client.disconnect()
            raise

    def taken(self, message: aiomqtt.Message) -> None:
        """Tell the broker that a message is taken."""
        self._client.ack(message.mid, message.qos)

    def _on_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:  # noqa: ANN401  paho's
        # The broker holds back what it wants acked. The rest is bounded here, and its sender asked
        # for no more than a try.
        if message.qos == 0 and self._queue.qsize() >= MAX_UNREAD:
            self.on_drop()
            return
        super()._on_message(client, userdata, message)

    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109  its name
        seconds = self.timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(None if seconds == math.inf else seconds):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError(f"the broker did not answer within {seconds:g} s") from None
