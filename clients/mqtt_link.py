"""One connection of a phone to a broker: frames go to `samples`, `ack` says what was taken.

The broker keeps a persistent session while the phone lives, so that what is published while it is
away still arrives; an orderly end removes it.
"""

import asyncio
import contextlib
import hashlib
from typing import NamedTuple, NoReturn

import aiomqtt

from clients import trust
from clients.address import MqttAddress
from clients.errors import NonsenseError, RefusedError, UnreachableError
from clients.exchange import Exchange
from clients.frames import Style, encode
from clients.messages import Message, decode
from clients.tasks import beside
from clients.websocket_link import UNTAKEN
from stream.events import Ack, Ended, Error, Prediction, Quality, Started
from stream.mqtt.client import ANSWER_S, KEEPALIVE_S, Client

HEARD = ("ack", "prediction", "event", "error")
CONNECT_REFUSED = (134, 135)  # reason codes: bad user name or password, not authorised
QOS = 1


class Post(NamedTuple):
    """At which broker, for which device and session a link publishes."""

    address: MqttAddress
    device: str
    session: str
    style: Style


class MqttLink:
    """Runs a phone's connections to a broker, one at a time."""

    def __init__(self, post: Post, exchange: Exchange) -> None:
        self._post = post
        self._exchange = exchange
        self._server_left = False
        self._server_known = False  # to this connection
        self._name_session = True

    async def run(self) -> None:
        """Connect and talk until the connection ends; see `keep_connected` for the outcome."""
        acks = self._exchange.acks
        try:
            async with self._client(clean=False) as client:
                await self._talk(client)
            await self._leave()
        except aiomqtt.MqttError as error:
            judge(self._post.address, error, progress=self._exchange.acks > acks)
        except asyncio.CancelledError:
            await self._leave()
            raise

    async def _leave(self) -> None:
        """Have the broker forget the persistent session, or leave it where the broker is gone."""
        with contextlib.suppress(aiomqtt.MqttError):
            async with self._client(clean=True):
                pass

    def _client(self, *, clean: bool) -> Client:
        post = self._post
        digest = hashlib.sha256(f"{post.device}/{post.session}".encode()).hexdigest()
        # 23 characters of letters and digits are what every 3.1.1 broker has to take.
        return connect_mqtt(post.address, identifier=f"gaitway{digest[:16]}", clean=clean)

    async def _talk(self, client: Client) -> None:
        base, device = self._post.address.base, self._post.device
        topics = [*(f"{base}/{device}/{name}" for name in HEARD), f"{base}/status"]
        await client.subscribe([(topic, QOS) for topic in topics])
        self._begin_anew()
        self._server_known = False
        self._exchange.open()
        async with beside(self._receive(client), "phone receives"):
            await self._send(client)

    def _begin_anew(self) -> None:
        """Send what is unacked once more; the server knows from `seq` what it has."""
        self._exchange.outbox.rewind()
        self._name_session = True

    async def _send(self, client: Client) -> None:
        # A broker that has no word of the server keeps nothing for it: frames would be lost, and
        # where one that comes later gets through, the server gives up those before it.
        await self._exchange.until(lambda: self._server_known or self._exchange.done)
        topic = f"{self._post.address.base}/{self._post.device}/samples"
        while (frame := await self._exchange.next_frame()) is not None:
            if self._name_session or self._post.style.encoding == "json":
                frame = frame._replace(session=self._post.session)
                self._name_session = False
            await client.publish(topic, encode(frame, self._post.style), qos=QOS)

    async def _receive(self, client: Client) -> NoReturn:
        async for message in client.messages:
            client.taken(message)  # no await comes before it is heard
            self._hear(message)
        raise aiomqtt.MqttError("the connection to the broker ended")

    def _hear(self, message: aiomqtt.Message) -> None:
        """Take a message; raises UnreachableError where the server takes no frames now."""
        if message.topic.value == f"{self._post.address.base}/status":
            self._server_is(payload_of(message) == b"online", news=not message.retain)
            return
        heard = decode(payload_of(message))
        if self._is_ours(heard):
            self._exchange.hear(heard)
        if isinstance(heard, Error) and heard.code in UNTAKEN:
            raise UnreachableError(f"the server takes no frames now: {heard.message}")

    def _server_is(self, online: bool, *, news: bool) -> None:
        if online and (self._server_left or news):  # it has just come, and may have missed frames
            self._begin_anew()
        self._server_left, self._server_known = not online, True
        self._exchange.ring()

    def _is_ours(self, message: Message) -> bool:
        """Tell this session's messages from a retained ack and other streams of the device."""
        if isinstance(message, Ack | Prediction | Started | Ended | Quality):
            return message.session == self._post.session
        return True


def connect_mqtt(address: MqttAddress, *, identifier: str | None, clean: bool) -> Client:
    """Return a client, to be entered, for the broker at `address`."""
    return Client(
        address.host,
        address.port,
        username=address.username,
        password=address.password,
        identifier=identifier,
        clean_session=clean,
        timeout=ANSWER_S,
        keepalive=KEEPALIVE_S,
        tls_context=trust.context(address.ca) if address.tls else None,
    )


def payload_of(message: aiomqtt.Message) -> bytes:
    """Return the payload of a received message; raises NonsenseError for what is no bytes."""
    if not isinstance(message.payload, bytes | bytearray):
        raise NonsenseError(f"{message.topic}: payload {message.payload!r} is no message")
    return bytes(message.payload)


def judge(address: MqttAddress, error: aiomqtt.MqttError, *, progress: bool) -> None:
    """Say what a broken connection means: return to connect again at once, or raise."""
    code = getattr(getattr(error, "rc", None), "value", 0)  # of a broker's reason, not of paho's
    if code in CONNECT_REFUSED:
        raise RefusedError(
            f"the broker at {address} refused: {error}: put the user name into the URL and the "
            "password into GAITWAY_MQTT_PASSWORD",
            code,
        ) from error
    if not progress:
        raise UnreachableError(f"no connection to the broker at {address}: {error}") from error
