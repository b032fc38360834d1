"""What one phone sends over one TCP connection: its messages are read, and fed together.

Knows no socket.
"""

import asyncio
import logging
import re

from stream import config
from stream.access.visitor import Stream
from stream.doors import apps
from stream.errors import DeviceError, OverloadedError, TooManyError
from stream.hub import Hub
from stream.sensor_apps.dialects.dialect import Dialect
from stream.sensor_apps.readings import Push
from stream.sensor_apps.splitter import Splitter

CHANNEL = "tcp"
AGAIN_S = 1.0  # until what there was no room for is tried again
# No app begins like this, but the request of a web page does, whose body could pass for readings.
_HTTP = re.compile(rb"[A-Z]+ ")
log = logging.getLogger(__name__)


class Connection:
    """The messages of one connection, and how many in a row were nonsense."""

    def __init__(
        self,
        device: str,
        dialect: Dialect,
        settings: config.Config,
        hub: Hub,
        allowed: Stream,
    ) -> None:
        self.device = device
        self.allowed = allowed
        self._dialect = dialect
        self._max_bytes = settings.tcp.max_message_bytes
        self._splitter = Splitter(dialect.message, self._max_bytes)
        self._limits = settings.wire
        self._hub = hub
        self._begun = False  # its first message has come
        self._refused = 0  # messages in a row

    async def feed(self, data: bytes) -> None:
        """Take bytes as they came; nonsense is refused and counted, message by message.

        Waits where there is no room. Raises DeviceError where the connection can't go on, and
        OverloadedError where it is no use to wait.
        """
        read: list[Push] = []  # and not fed yet
        for message in self._splitter.feed(data):
            self._check_first(message)
            try:
                read.append(self._dialect.read(message, self._limits))
            except DeviceError as error:
                await self._take(read)
                read = []
                self._refuse(error)
        await self._take(read)
        if self._splitter.overlong:
            self._refuse(overlong := DeviceError(f"a message has at most {self._max_bytes} bytes"))
            raise overlong

    def _check_first(self, message: bytes) -> None:
        if not self._begun and _HTTP.match(message):
            error = DeviceError(f"this port is for {self._dialect.name}, and HTTP was spoken")
            self._refuse(error)
            raise error
        self._begun = True

    async def _take(self, read: list[Push]) -> None:
        """Feed what several messages held as one, for a fraction of the work."""
        if not read:
            return
        readings = [reading for push in read for reading in push.readings]
        self.allowed.samples(len(readings))
        try:
            await self._fed(Push(self.device, None, 0, readings))
        except DeviceError as error:
            self._refuse(error)
            return
        self._refused = 0

    async def _fed(self, push: Push) -> None:
        """Feed it as soon as there is room; nobody reads on meanwhile, so the phone is held back.

        Raises DeviceError for nonsense, and OverloadedError at the service's end, or where a new
        device is one too many: known ones stay.
        """
        hub, waiting = self._hub, False
        while True:
            await hub.models.of(self.device).batcher.room()
            try:
                dialect, limits = self._dialect, self._limits
                await apps.feed(hub, CHANNEL, dialect, limits, push, self.device)
                return
            except TooManyError:
                raise
            except OverloadedError as error:
                if hub.stopping:
                    raise
                if not waiting:
                    log.info("TCP: %s: is held back: %s", self.device, error)
                waiting = True
            await asyncio.sleep(AGAIN_S)

    def _refuse(self, error: DeviceError) -> None:
        """Count nonsense; raises DeviceError where that is too much in a row."""
        self._hub.refuse(None, CHANNEL, error)
        self._refused += 1
        if self._refused >= self._hub.options.max_bad_frames:
            raise DeviceError(f"{self._refused} messages in a row were nonsense: {error}")
