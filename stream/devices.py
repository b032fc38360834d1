"""Devices as listeners see them: activity, signal quality, and whether they are online."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Literal
from weakref import WeakValueDictionary

from stream import config
from stream.errors import TooManyError
from stream.events import UNKNOWN, Ended, Prediction, Quality, Started, State, Status
from stream.journal.records import DeviceState
from stream.metrics import Metrics
from stream.outbox import Outbox
from stream.publish import Publisher
from stream.session import Session
from stream.wire import NOTHING_TOLD, Told
from stream.wire.text import Axes


class Device:
    """A physical phone; it outlives connections and sessions."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.activity = UNKNOWN
        self.since: datetime | None = None
        self.confidence: float | None = None
        self.judged: Quality | None = None  # what was said of its signal last
        # Named by the operator, or here before a restart: shown before it comes.
        self.expected = False
        self.online = False
        self.connection: Outbox | None = None  # its one WebSocket
        self.sessions: list[Session] = []  # live ones
        self.newest: Session | None = None  # that a frame came for last; None: none was good yet
        self.checked_axes: Axes | None = None  # what the face-up check found
        self._session: str | None = None  # that the activity belongs to
        self.seen = -float("inf")  # monotonic s of its last frame

    @property
    def listed(self) -> bool:
        """Whether anybody hears of it: it is here or expected, or a frame of it was taken."""
        return self.online or self.expected or self.newest is not None

    def state(self) -> State:
        """Return what a new listener is told first."""
        return State(
            device=self.name,
            activity=self.activity,
            since=self.since,
            confidence=self.confidence,
            quality=self.judged.state if self.judged else "good",
            status="online" if self.online else "offline",
        )

    def save(self) -> DeviceState:
        """Return what outlives a restart, for `restore`."""
        confirmed = (self.activity, self.since, self.confidence, self._session)
        return DeviceState(*confirmed, self.checked_axes)

    def restore(self, state: DeviceState) -> None:
        """Take over what was saved."""
        self.activity, self.since, self.confidence = state.activity, state.since, state.confidence
        self._session, self.checked_axes = state.session, state.checked_axes
        self.expected = True

    def started(self, event: Started) -> None:
        """Take over a confirmed activity."""
        self.activity, self.since, self.confidence = event.activity, event.time, event.confidence
        self._session = event.session

    def confirmed(self, prediction: Prediction) -> None:
        """Keep the confidence of the newest prediction that agrees with the activity."""
        if prediction.activity == self.activity:
            self.confidence = prediction.confidence

    def ended(self, event: Ended) -> None:
        """Forget the activity of a session that is over; another session's stays."""
        if self._session in {None, event.session}:
            self.activity, self.since, self.confidence = UNKNOWN, event.time, None


class Devices:
    """All devices, and the news about who is there and what they do."""

    def __init__(
        self,
        options: config.Hub,
        publisher: Publisher,
        metrics: Metrics,
        clock: Callable[[], float],
        settings: Mapping[str, config.Device],
    ) -> None:
        self.settings = settings
        self._options = options
        self._publisher = publisher
        self._metrics = metrics
        self._clock = clock
        self._devices: OrderedDict[str, Device] = OrderedDict()  # least recently opened first
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __iter__(self) -> Iterator[Device]:
        """Yield the devices that are listed."""
        return iter([device for device in self._devices.values() if device.listed])

    def find(self, name: str) -> Device | None:
        """Return a device that is listed."""
        device = self._devices.get(name)
        return device if device is not None and device.listed else None

    def get(self, name: str) -> Device:
        """Return a device, new or known; the one longest away makes room for a new one."""
        device = self._devices.get(name)
        if device is None:
            if len(self._devices) >= self._options.max_devices:
                self._forget_one()
            device = self._devices[name] = Device(name)
            self._metrics.devices.set(len(self._devices))
        self._devices.move_to_end(name)
        return device

    def _forget_one(self) -> None:
        for name, device in self._devices.items():
            if not device.online and not device.sessions:
                del self._devices[name]
                return
        raise TooManyError(f"{len(self._devices)} devices are online, no more are allowed")

    def turn(self, name: str) -> asyncio.Lock:
        """Return what is held while a message of a device is taken: one after another, in order."""
        return self._turns.setdefault(name, asyncio.Lock())

    def told(self, name: str) -> Told:
        """Return what the operator, or a face-up check, says of a device's units and signs."""
        device, settings = self._devices.get(name), self.settings.get(name)
        units = (settings.units or None) if settings else None
        axes = (settings.axes or None) if settings else None
        checked = device.checked_axes if device else None
        if not (units or axes or checked):  # nearly always
            return NOTHING_TOLD
        why = ["config.toml says so"] if units or axes else []
        why += ["the face-up check found it"] if checked and not axes else []
        return Told(units, axes or checked, " and ".join(why))

    def recent(self, device: Device) -> bool:
        """Whether a frame came within `online_s`."""
        return self._clock() - device.seen <= self._options.online_s

    def seen(self, device: Device, session: Session, *, good: bool = True) -> None:
        """Note a frame; one of nonsense makes nobody known."""
        if not good and device.newest is None:
            return
        device.newest = session
        device.seen = self._clock()
        if not device.online:
            self.update_status(device)

    def sweep(self) -> None:
        """Find devices that have gone silent; forget those that never sent a good frame."""
        for device in list(self._devices.values()):
            if device.online:
                self.update_status(device)
            elif not device.listed and not device.sessions:
                del self._devices[device.name]
                self._metrics.devices.set(len(self._devices))

    def judge(self, device: Device, quality: Quality, channel: str) -> None:
        """Publish what is thought of a device's signal."""
        device.judged = quality
        self._publisher.publish(device.name, quality, channel)
        self.changed(device)

    def update_status(self, device: Device) -> None:
        """Publish `online` or `offline` where it changed."""
        online = self.recent(device) or device.connection is not None
        if online == device.online:
            return
        device.online = online
        status: Literal["online", "offline"] = "online" if online else "offline"
        self._publisher.publish(device.name, Status(device=device.name, status=status))
        self.changed(device)

    def changed(self, device: Device) -> None:
        """Publish the device's state."""
        self._publisher.publish(device.name, device.state())
