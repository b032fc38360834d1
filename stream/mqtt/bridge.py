"""MQTT in and out: frames from `<base>/<device>/samples`, everything published to its topics.

A frame is acked at the broker only when it is taken or refused. What happened while the broker was
away, or too slow, comes from the history; retained state is published anew on each connection.
"""

import asyncio
import logging
import time
from functools import partial

import aiomqtt
import stamina

from stream import config
from stream.access.gate import Gate
from stream.errors import JournalError
from stream.events import Ack, Ended, Error, Message, Prediction, Started, Status
from stream.hub import Hub
from stream.journal.entries import Entry
from stream.metrics import Metrics
from stream.mqtt import broker, topics
from stream.mqtt.client import Client
from stream.mqtt.publications import Publication, Publications
from stream.mqtt.receiver import CHANNEL, Receiver

MARK = "mqtt"  # of the newest entry of the history up to which the broker has all
log = logging.getLogger(__name__)
STEADY_S = 60.0  # a connection that held so long starts the waiting times anew
RETRY_S = 1.0  # between attempts to read a history that can't be read, at most


class Bridge:
    """The service's connection to a broker, kept up for as long as `run` runs."""

    def __init__(self, options: config.Mqtt, limits: config.Wire, hub: Hub, gate: Gate) -> None:
        self.connected = False
        self._options = options
        broker.tls(options)  # what is wrong with its files is said at once
        self._hub = hub
        self._metrics: Metrics = hub.metrics
        self._publications = Publications(options.max_queue)
        self._client: Client | None = None  # of the newest connection
        tell = partial(self.publish, channel=CHANNEL)
        self._receiver = Receiver(options, limits, hub, gate, tell)
        self._lost = False  # the connection, and it was said
        self._begun = asyncio.Event()  # it is known what of the history the broker has
        hub.publisher.add_sink(self.publish)

    def sweep(self) -> None:
        """Tell devices late what they could not be told at once; call it every second or so."""
        self._receiver.sweep()

    def publish(self, device: str, message: Message, channel: str | None) -> None:
        """Queue a message for its topic, if it has one, or leave it to the history."""
        name, retain = topics.TOPICS.get(type(message), ("", False))
        if not name or (isinstance(message, Error | Ack) and channel != CHANNEL):
            return
        if retain and not self.connected:
            return  # state is published anew on the next connection
        kept = isinstance(message, Prediction | Started | Ended)
        position = self._hub.publisher.history.newest if kept else 0
        session = message.session if isinstance(message, Ack) else ""
        words = topics.words(message)
        self._queue(Publication(self._topic(device, name), words, retain, position, session))

    def _queue(self, publication: Publication) -> None:
        self._metrics.mqtt_dropped.inc(self._publications.put(publication))

    def _topic(self, *parts: str) -> str:
        return "/".join((self._options.base, *parts))

    def begin(self) -> None:
        """Go on where the broker's part of the history ended; call it once the journal is open."""
        journal = self._hub.journal
        if MARK not in journal.marks:  # what was before the first broker is not for it
            journal.put_mark(MARK, journal.position)
        self._publications.begin(journal.marks.get(MARK, journal.position))
        self._begun.set()

    async def say_goodbye(self) -> None:
        """Tell the broker that the service goes offline, after what waits to be published."""
        if self.connected:
            self._publications.leave()
            for device in self._hub.devices:
                if device.online:
                    self._queue(Publication(self._topic(device.name, "status"), "offline", True))
            self._queue(Publication(self._topic("status"), "offline", True))
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
            log.log(
                logging.DEBUG if self._lost else logging.WARNING,
                "MQTT %s: %s; tries again, and serves everyone else meanwhile",
                broker.address(self._options.url),
                error,
            )
            self._lost = True
            if time.monotonic() - began < STEADY_S:
                raise
        finally:
            if self.connected:
                self._publications.settled()
            self._set_connected(False)

    async def _serve(self, client: Client) -> None:
        client.on_drop = self._metrics.mqtt_dropped.inc
        await client.subscribe(f"{self._options.base}/+/samples", qos=1)
        for topic in self._receiver.shared:
            await client.subscribe([(topic, 1), (f"{topic}/+", 1)])
        self._client = client
        self._set_connected(True)
        self._publish_again()
        again = " again" if self._lost else ""
        self._lost = False
        log.info("MQTT %s: connected%s", broker.address(self._options.url), again)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._reading(client), name="mqtt reading")
                tasks.create_task(self._writing(client), name="mqtt writing")
                tasks.create_task(self._catching_up(), name="mqtt catching up")
        except* aiomqtt.MqttError as group:  # nested, where several messages failed at once
            raise aiomqtt.MqttError(_first_words(group)) from group

    def _set_connected(self, connected: bool) -> None:
        self.connected = connected
        self._metrics.mqtt_connected.set(connected)

    def _publish_again(self) -> None:
        """Queue what the last connection may have lost, and all retained state."""
        self._metrics.mqtt_dropped.inc(self._publications.reconnected())
        self._queue(Publication(self._topic("status"), "online", True))
        for device in self._hub.devices:
            state = device.state()
            self.publish(device.name, Status(device=device.name, status=state.status), None)
            self.publish(device.name, state, None)
            live = self._hub.current(CHANNEL, device.name)
            if live is not None and live.durable_seq:
                ack = Ack(session=live.session.id, seq=live.durable_seq - 1)
                self.publish(device.name, ack, CHANNEL)

    async def _reading(self, client: Client) -> None:
        async for message in client.messages:
            topic, payload = str(message.topic), broker.payload(message)
            group = await self._receiver.take(topic, payload, retained=message.retain)
            self._hub.journal.then(group, partial(self._taken, client, message))

    def _taken(self, client: Client, message: aiomqtt.Message) -> None:
        """Let the broker forget a message, unless that connection is over: then it comes again."""
        if client is self._client:
            client.taken(message)

    async def _writing(self, client: Client) -> None:
        free = asyncio.Semaphore(self._options.max_inflight)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await free.acquire()
                number, publication = await self._publications.take()
                task = tasks.create_task(self._send(client, number, publication))
                task.add_done_callback(lambda _: free.release())

    async def _catching_up(self) -> None:
        """Read from the history what does not wait to be sent by itself, a part at a time.

        Nothing before the journal is open; then no state goes out either, and we seem offline.
        """
        history = self._hub.publisher.history
        await self._begun.wait()
        while True:
            after = await self._publications.lacking()
            attempts = stamina.retry_context(
                on=JournalError, attempts=None, timeout=None, wait_max=RETRY_S
            )
            async for attempt in attempts:
                with attempt:
                    part = await history.following(after)
                    read = map(self._of_entry, part.entries)
                    self._publications.fill(read, part.reached, last=part.last)
                    self._metrics.mqtt_dropped.inc(part.gone)

    def _of_entry(self, entry: Entry) -> Publication:
        topic = self._topic(entry.device, topics.of_entry(entry))
        return Publication(topic, entry.text, False, entry.position)

    async def _send(self, client: Client, number: int, publication: Publication) -> None:
        await client.publish(
            publication.topic, publication.payload, qos=1, retain=publication.retain
        )
        if self._publications.acked(number):
            self._hub.journal.put_mark(MARK, self._publications.done)


def _first_words(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
