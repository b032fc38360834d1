"""Listens to a broker's topics and turns what comes into the messages of the protocol."""

from collections.abc import Sequence

import aiomqtt

from clients.address import MqttAddress
from clients.errors import NonsenseError
from clients.listen_websocket import Hand, Stands
from clients.messages import decode
from clients.mqtt_link import QOS, connect_mqtt, judge, payload_of
from stream.events import Error, Status

TOPICS = {
    "activity": ("activity", "event"),
    "prediction": ("prediction",),
    "status": ("status",),
    "quality": ("error",),
}


class MqttListener:
    """Runs a listener's connections, one at a time."""

    def __init__(self, address: MqttAddress, devices: Sequence[str], types: Sequence[str]) -> None:
        self.opened = False
        self._address = address
        names = sorted({name for kind in types for name in TOPICS[kind]})
        self._topics = [
            f"{address.base}/{device}/{name}" for device in devices or "+" for name in names
        ]
        self._heard = 0

    async def run(self, stands: Stands, hand: Hand) -> None:
        """Connect, call `stands`, and hand over messages until the end; raises as `judge` does."""
        heard = self._heard
        try:
            async with connect_mqtt(self._address, identifier=None, clean=True) as client:
                await client.subscribe([(topic, QOS) for topic in self._topics])
                self.opened = True
                await stands()
                async for message in client.messages:
                    self._heard += not message.retain
                    await self._pass(message, hand)
                    client.taken(message)
        except aiomqtt.MqttError as error:
            judge(self._address, error, progress=self._heard > heard)

    async def _pass(self, message: aiomqtt.Message, hand: Hand) -> None:
        payload = payload_of(message)
        if not payload:  # a retained message that was taken back
            return
        _, device, name = message.topic.value.rsplit("/", 2)
        heard = _status(device, payload) if name == "status" else decode(payload)
        if not isinstance(heard, Error):  # errors are the device's own affair
            await hand(heard)


def _status(device: str, payload: bytes) -> Status:
    if payload == b"online":
        return Status(device=device, status="online")
    if payload == b"offline":
        return Status(device=device, status="offline")
    raise NonsenseError(f"status of {device}: {payload[:80]!r}: online or offline is allowed")
