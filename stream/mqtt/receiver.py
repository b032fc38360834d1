"""What comes by MQTT goes to the hub, message by message; what is wrong is said to its device.

A message that can't be taken ends nothing but itself. Knows no connection.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from stream import config, wire
from stream.access.bucket import Buckets
from stream.access.gate import Gate
from stream.access.visitor import Stream
from stream.doors import apps
from stream.errors import (
    INTERNAL,
    DeviceError,
    OutOfTurnError,
    OverloadedError,
    ParameterError,
    TooFastError,
    TooManyError,
)
from stream.events import Error
from stream.hub import Hub
from stream.logs import Faults
from stream.mqtt.owed import Owed
from stream.sensor_apps import dialects
from stream.sensor_apps.dialects.dialect import Dialect
from stream.wire import Source, check_id, incoming

CHANNEL = "mqtt"
TELL_PER_S, TELL_BURST_S = 1.0, 10.0  # of refusals: else who sends too much crowds the others out
log = logging.getLogger(__name__)

Tell = Callable[[str, Error], None]  # a device, and what goes to its topic for errors


class Receiver:
    """Takes the messages of all devices, one at a time."""

    def __init__(
        self, options: config.Mqtt, limits: config.Wire, hub: Hub, gate: Gate, tell: Tell
    ) -> None:
        self._base = options.base
        self._limits = limits
        self._hub = hub
        self._gate = gate
        self._tell = tell
        self._faults = Faults(log)
        self._owed = Owed(gate.throttle.max_known)
        self._telling = Buckets((TELL_PER_S,), TELL_BURST_S, gate.throttle.max_known)
        self._untold: dict[str, Error] = {}  # the newest refusal that a device has not heard of
        self.shared: dict[str, Dialect] = {}  # topics of apps that send everyone's there
        if options.sensor_logger:
            self.shared[options.sensor_logger] = dialects.SENSOR_LOGGER

    async def take(self, topic: str, payload: bytes, *, retained: bool = False) -> int:
        """Take a message; return the commit that makes it durable.

        `retained` says that the broker kept it from before we subscribed: nothing of now.
        """
        if retained:
            self._count("retained")
            return 0
        device = ""
        try:
            dialect, device = self._sender(topic, payload)
            return await self._take(dialect, device, payload)
        # Whatever it is: a bug that one message meets must not end the service for everyone. The
        # message is given up, as the broker would send it again for ever.
        except Exception as error:  # noqa: BLE001  see above
            self._give_up(device, error)
            return 0

    def sweep(self) -> None:
        """Tell of refusals that were not told of; call it every second or so.

        A device that has sent all it has, and hears nothing, would wait for ever.
        """
        for device in list(self._untold):
            self._tell_if_due(device, self._untold.pop(device))

    async def _take(self, dialect: Dialect | None, device: str, payload: bytes) -> int:
        try:
            check_id("device", device)
        except ParameterError as error:
            # Its own error topic could not be named safely, so it is only counted.
            self._count("bad-device")
            log.debug("MQTT: %s", error)
            return 0
        while True:
            await self._hub.models.of(device).batcher.room()
            try:
                if dialect is not None:
                    return await self._feed_app(dialect, device, payload)
                return self._feed(device, payload, self._in_turn(device, payload))
            except (TooManyError, TooFastError, OutOfTurnError) as error:
                self._put_off(device, payload if dialect is None else None, error)
                return 0
            except OverloadedError as error:
                # Unacked, the frame stays with the broker, which then sends no more than fits.
                log.warning("MQTT: %s", error)
                await asyncio.sleep(1)

    def _sender(self, topic: str, payload: bytes) -> tuple[Dialect | None, str]:
        """Tell an app from a frame, and whose it is: the topic counts more than the message."""
        if topic in self.shared:
            return self.shared[topic], self.shared[topic].owner(payload)
        shared, _, device = topic.rpartition("/")
        if shared in self.shared:
            return self.shared[shared], device
        return None, topic.removeprefix(f"{self._base}/").removesuffix("/samples")

    def _in_turn(self, device: str, payload: bytes) -> Stream:
        """Let a frame pass, with its device's limits; raises OverloadedError where it may not."""
        if not self._owed.owes(device):  # nearly always
            return self._allowed(device, payload)
        session, seq = wire.place_of(payload)
        first = self._owed.before(device, session, seq) if seq is not None else None
        if first is not None:
            raise OutOfTurnError(
                f"frame {seq}: frame {first} was refused, and must come again before it; go on "
                "from there"
            )
        allowed = self._allowed(device, payload)
        if seq is not None:
            self._owed.taken(device, session, seq)  # where it is refused now, it is owed anew
        return allowed

    def _allowed(self, device: str, payload: bytes) -> Stream:
        allowed = self._gate.by_mqtt(device)
        allowed.message(len(payload))
        return allowed

    def _feed(self, device: str, payload: bytes, allowed: Stream) -> int:
        """Take a frame, or refuse it as nonsense; raises OverloadedError where there is no room."""
        source, told = Source(), self._hub.devices.told(device)
        try:
            text = wire.looks_like_text(payload)
            frame = incoming.decode(payload, source, self._limits, text=text, told=told)
            allowed.samples(incoming.count(frame))
            located = self._hub.locate(CHANNEL, device, frame.session, frame.seq, payload)
            self._hub.take(located, frame, source.rate_hz)
            return located.group
        except DeviceError as error:
            session = wire.session_of(payload)
            live, answer = self._hub.refuse_unplaced(CHANNEL, device, session, payload, error)
            self._tell(device, answer)
            return live.group if live else 0

    async def _feed_app(self, dialect: Dialect, device: str, payload: bytes) -> int:
        """Take an app's message, as `_feed` takes a frame."""
        hub, allowed = self._hub, self._gate.by_mqtt(device)
        try:
            advice = await apps.take(hub, CHANNEL, dialect, self._limits, payload, allowed, device)
        except DeviceError as error:
            self._tell(device, self._hub.refuse(None, CHANNEL, error))
            return 0
        return advice.group

    def _put_off(self, device: str, frame: bytes | None, error: OverloadedError) -> None:
        """Refuse a message for now, and tell its device; of many refusals, now and then one."""
        self._count(error.code)
        first, news = self._owe(device, frame) if frame is not None else (None, False)
        said = Error(code=error.code, message=str(error), seq=first)
        self._tell_if_due(device, said, news=news)

    def _tell_if_due(self, device: str, error: Error, *, news: bool = False) -> None:
        now = time.monotonic()
        telling = self._telling.of(device, now)
        if news or telling.wait(now)[0] == 0:
            telling.charge(1)
            self._untold.pop(device, None)
            self._tell(device, error)
        elif device in self._untold or len(self._untold) < self._gate.throttle.max_known:
            self._untold[device] = error

    def _owe(self, device: str, frame: bytes) -> tuple[int | None, bool]:
        """Let nothing after a numbered frame be taken, until it comes again.

        Returns the seq that the device has to go on from, and whether it owed none before.
        """
        session, seq = wire.place_of(frame)
        if seq is None:
            return None, False
        first = self._owed.before(device, session, seq)
        if first is not None:
            return first, False
        current = self._hub.current(CHANNEL, device) if seq else None  # 0 begins a session
        place = current.session.id if current is not None else ""
        return seq, self._owed.refuse(device, session, seq, place)

    def _give_up(self, device: str, error: Exception) -> None:
        """Refuse a message that we failed on for a reason of our own."""
        self._count(INTERNAL)
        self._faults.log(f"MQTT: {device}", error)
        if device:
            text = "the server failed on a message, and goes on without it; its log says why"
            self._tell(device, Error(code=INTERNAL, message=text))

    def _count(self, code: str) -> None:
        self._hub.metrics.refused.labels(CHANNEL, code).inc()
