"""MQTT in and out: frames from `<base>/<device>/samples`, everything published to its topics.

A frame is acked at the broker only when it is taken. What waits to be published survives a lost
connection; retained state is published anew after each.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from functools import partial

import aiomqtt
import stamina

from stream import apps, broker, config, dialects, incoming, topics, wire
from stream.dialects.dialect import Dialect
from stream.entries import Entry
from stream.errors import (
    DeviceError,
    OverloadedError,
    ParameterError,
    TooFastError,
    TooManyError,
)
from stream.events import Ack, Ended, Error, Message, Prediction, Started, Status
from stream.gate import Gate
from stream.hub import Hub
from stream.metrics import Metrics
from stream.publications import Publication, Publications
from stream.visitor import Stream
from stream.wire import Source, check_id

CHANNEL = "mqtt"
MARK = "mqtt"  # of the newest entry of the history up to which the broker has all
log = logging.getLogger(__name__)
STEADY_S = 60.0  # a connection that held so long starts the waiting times anew


class Bridge:
    """The service's connection to a broker, kept up for as long as `run` runs."""

    def __init__(self, options: config.Mqtt, limits: config.Wire, hub: Hub, gate: Gate) -> None:
        self.connected = False
        self._gate = gate
        self._options = options
        broker.tls(options)  # what is wrong with its files is said at once
        self._limits = limits
        self._hub = hub
        self._metrics: Metrics = hub.metrics
        self._publications = Publications(options.max_queue)
        self._client: aiomqtt.Client | None = None  # of the newest connection
        self._shared: dict[str, Dialect] = {}  # topics of apps that send everyone's there
        if options.sensor_logger:
            self._shared[options.sensor_logger] = dialects.SENSOR_LOGGER
        hub.publisher.add_sink(self.publish)

    def publish(self, device: str, message: Message, channel: str | None) -> None:
        """Queue a message for its topic, if it has one; the oldest makes room."""
        name, retain = topics.TOPICS.get(type(message), ("", False))
        if not name or (isinstance(message, Error | Ack) and channel != CHANNEL):
            return
        if retain and not self.connected:
            return  # state is published anew on the next connection
        kept = isinstance(message, Prediction | Started | Ended)
        position = self._hub.publisher.history.newest if kept else 0
        session = message.session if isinstance(message, Ack) else ""
        self._queue(f"{device}/{name}", topics.words(message), retain, position, session)

    def _queue(
        self, topic: str, payload: bytes | str, retain: bool, position: int = 0, session: str = ""
    ) -> None:
        full = f"{self._options.base}/{topic}"
        publication = Publication(full, payload, retain, position, session)
        self._metrics.mqtt_dropped.inc(self._publications.put(publication))

    def catch_up(self, entries: Iterable[Entry]) -> None:
        """Queue what was published before a crash, and the broker may not have."""
        for entry in entries:
            self._queue(topics.of_entry(entry), entry.text, False, entry.position)

    async def say_goodbye(self) -> None:
        """Tell the broker that the service goes offline, after all that waits to be published."""
        if self.connected:
            for device in self._hub.devices:
                if device.online:
                    self._queue(f"{device.name}/status", "offline", True)
            self._queue("status", "offline", True)
            await self._publications.all_sent()

    async def run(self) -> None:
        """Connect, serve, and connect again with growing, jittered pauses; until cancelled."""
        while True:
            attempts = stamina.retry_context(
                on=aiomqtt.MqttError,
                attempts=None,
                timeout=None,
                wait_initial=0.2,
                wait_max=self._options.reconnect_max_s,
                wait_jitter=1.0,
            )
            async for attempt in attempts:
                with attempt:
                    await self._serve_once()

    async def _serve_once(self) -> None:
        """Serve one connection; raises MqttError unless it was a long one."""
        began = time.monotonic()
        try:
            async with broker.client(self._options) as client:
                await self._serve(client)
        except aiomqtt.MqttError as error:
            log.warning(
                "MQTT %s: %s; tries again, and serves everyone else meanwhile",
                broker.address(self._options.url),
                error,
            )
            if time.monotonic() - began < STEADY_S:
                raise
        finally:
            self._set_connected(False)
            self._publications.settled()

    async def _serve(self, client: aiomqtt.Client) -> None:
        await client.subscribe(f"{self._options.base}/+/samples", qos=1)
        for topic in self._shared:
            await client.subscribe([(topic, 1), (f"{topic}/+", 1)])
        self._client = client
        self._set_connected(True)
        self._publish_again()
        log.info("MQTT %s: connected", broker.address(self._options.url))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._reading(client), name="mqtt reading")
                tasks.create_task(self._writing(client), name="mqtt writing")
        except* aiomqtt.MqttError as group:  # nested, where several messages failed at once
            raise aiomqtt.MqttError(_first_words(group)) from group

    def _set_connected(self, connected: bool) -> None:
        self.connected = connected
        self._metrics.mqtt_connected.set(connected)

    def _publish_again(self) -> None:
        """Queue what the last connection may have lost, and all retained state."""
        self._metrics.mqtt_dropped.inc(self._publications.reconnected())
        self._queue("status", "online", True)
        for device in self._hub.devices:
            state = device.state()
            self.publish(device.name, Status(device=device.name, status=state.status), None)
            self.publish(device.name, state, None)
            live = self._hub.current(CHANNEL, device.name)
            if live is not None and live.durable_seq:
                ack = Ack(session=live.session.id, seq=live.durable_seq - 1)
                self.publish(device.name, ack, CHANNEL)

    async def _reading(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            group = await self._take(str(message.topic), broker.payload(message))
            self._hub.journal.then(group, partial(self._taken, client, message))

    def _taken(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        """Let the broker forget a message, unless that connection is over: then it comes again."""
        if client is self._client:
            broker.ack(client, message)

    async def _take(self, topic: str, payload: bytes) -> int:
        """Take a message; return the commit that makes it durable."""
        dialect, device = self._sender(topic, payload)
        try:
            check_id("device", device)
        except ParameterError as error:
            # Its own error topic could not be named safely, so it is only counted.
            self._metrics.refused.labels(CHANNEL, "bad-device").inc()
            log.debug("MQTT: %s", error)
            return 0
        while True:
            await self._hub.models.of(device).batcher.room()
            try:
                allowed = self._gate.by_mqtt(device)
                allowed.message(len(payload))
                if dialect is None:
                    return self._feed(device, payload, allowed)
                return self._feed_app(dialect, device, payload, allowed)
            except (TooManyError, TooFastError) as error:
                self._metrics.refused.labels(CHANNEL, error.code).inc()
                self.publish(device, Error(code=error.code, message=str(error)), CHANNEL)
                return 0
            except OverloadedError as error:
                # Unacked, the frame stays with the broker, which then sends no more than fits.
                log.warning("MQTT: %s", error)
                await asyncio.sleep(1)

    def _sender(self, topic: str, payload: bytes) -> tuple[Dialect | None, str]:
        """Tell an app from a frame, and whose it is: the topic counts more than the message."""
        if topic in self._shared:
            return self._shared[topic], self._shared[topic].owner(payload)
        shared, _, device = topic.rpartition("/")
        if shared in self._shared:
            return self._shared[shared], device
        return None, topic.removeprefix(f"{self._options.base}/").removesuffix("/samples")

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
            self.publish(device, answer, CHANNEL)
            return live.group if live else 0

    def _feed_app(self, dialect: Dialect, device: str, payload: bytes, allowed: Stream) -> int:
        """Take an app's message, as `_feed` takes a frame."""
        try:
            advice = apps.take(self._hub, CHANNEL, dialect, self._limits, payload, allowed, device)
        except DeviceError as error:
            self.publish(device, self._hub.refuse(None, CHANNEL, error), CHANNEL)
            return 0
        if advice.text and not advice.published:
            self.publish(device, Error(code="bad-frame", message=advice.text), CHANNEL)
        return advice.group

    async def _writing(self, client: aiomqtt.Client) -> None:
        free = asyncio.Semaphore(self._options.max_inflight)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await free.acquire()
                number, publication = await self._publications.take()
                task = tasks.create_task(self._send(client, number, publication))
                task.add_done_callback(lambda _: free.release())

    async def _send(self, client: aiomqtt.Client, number: int, publication: Publication) -> None:
        await client.publish(
            publication.topic, publication.payload, qos=1, retain=publication.retain
        )
        if self._publications.acked(number):
            self._hub.journal.put_mark(MARK, self._publications.done)


def _first_words(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
