"""The line to one phone: what it sends goes to the hub; what is wrong is said, but not often."""

import asyncio
import logging

from stream.config import Wire
from stream.dial.phones import Phone
from stream.dial.said import Said
from stream.doors import apps
from stream.errors import INTERNAL, DeviceError, OverloadedError, UnreachableError
from stream.hub import Hub
from stream.logs import Faults
from stream.sensor_apps.readings import Push, Reading

CHANNEL = "dial"
QUIET_S = 5.0  # what may be worded anew each time is said no sooner after anything else
log = logging.getLogger(__name__)


class Line:
    """Outlives connections, as the phone's session does."""

    def __init__(self, phone: Phone, limits: Wire, hub: Hub) -> None:
        self.phone = phone
        self.limits = limits
        self._hub = hub
        self._connected = False
        self._refused = 0  # messages in a row
        self._faults = Faults(log)
        self._said = Said()

    def connected(self) -> None:
        """Note that the phone answers."""
        if not self._connected:
            self._connected = True
            self._hub.metrics.dial_connected.inc()
            log.info("%s: %s answers", self.phone.device, self.phone.url)

    def broken(self, error: UnreachableError | None) -> None:
        """Note that the connection is over, and why if it wasn't us."""
        self._hub.metrics.dial_connected.dec(self._connected)
        self._connected = False
        self._refused = 0
        if error is not None:
            self._hub.metrics.dial_failures.labels(self.phone.device).inc()
            why = str(error).removesuffix(".")
            self.say(f"{self.phone.url}: {why}. It is called again and again.")

    def failed(self, error: Exception) -> None:
        """Count and log a fault of our own that ended a call."""
        self._hub.metrics.refused.labels(CHANNEL, INTERNAL).inc()
        self._faults.log(self.phone.device, error)

    def begin_anew(self) -> None:
        """End the phone's session: what comes next doesn't continue it."""
        live = self._hub.current(CHANNEL, self.phone.device)
        if live is not None:
            self._hub.end(live)

    async def take(self, readings: list[Reading]) -> None:
        """Take readings, in order of arrival; waits where there is no room for them."""
        size = self.limits.max_samples
        for i in range(0, len(readings), size):
            await self._take(
                Push(device="", session=None, number=0, readings=readings[i : i + size])
            )

    async def _take(self, push: Push) -> None:
        hub, device = self._hub, self.phone.device
        while True:
            await hub.models.of(device).batcher.room()
            try:
                advice = await apps.feed(
                    hub, CHANNEL, self.phone.dialect, self.limits, push, device
                )
            except DeviceError as error:
                self.refuse(error)
                return
            except OverloadedError as error:
                # Nobody reads on meanwhile, so the phone holds what it can.
                if not hub.stopping:
                    self.say(str(error), QUIET_S)
                await asyncio.sleep(1)
                continue
            if advice.text:
                self.say(advice.text)
            return

    def accept(self) -> None:
        """Note that a message made sense."""
        self._refused = 0

    def refuse(self, error: DeviceError) -> int:
        """Count a message that is nonsense; return how many came in a row.

        Raises UnreachableError where they are too many.
        """
        self._hub.refuse(None, CHANNEL, error)
        self._refused += 1
        if self._refused >= self._hub.options.max_bad_frames:
            raise UnreachableError(
                f"{self._refused} messages in a row are refused: {error}; see that "
                f"it is {self.phone.dialect.name} that answers there"
            )
        self.say(str(error), QUIET_S)
        return self._refused

    def say(self, text: str, quiet_s: float = 0.0) -> None:
        """Log what somebody should know, unless it or, for `quiet_s`, anything was said before."""
        if self._said.due(text, quiet_s):
            log.warning("%s: %s", self.phone.device, text)
