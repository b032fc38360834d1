"""All devices and their live sessions: frames go to the core, what comes out is published.

The one place where sessions, the model and the listeners meet; it knows no transport.
"""

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import blake2b
from itertools import takewhile

from stream import config
from stream.answering import Answering
from stream.devices import Devices
from stream.errors import DeviceError, OverloadedError, TooManyError
from stream.events import Error
from stream.journal.journal import Journal
from stream.journal.keeper import Keeper
from stream.journal.records import LabelInput, RefusedInput, frame_input
from stream.live import Key, Live
from stream.metrics import Metrics
from stream.model.models import Models
from stream.outbox import Outbox
from stream.publish import Publisher
from stream.record import Recorder
from stream.session import Session
from stream.wire import Frame
from stream.wire.incoming import Label


class Hub:
    """Takes frames of all channels. Raises OverloadedError where it has no room for more."""

    def __init__(
        self,
        options: config.Hub,
        models: Models,
        publisher: Publisher,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
        utc: Callable[[], float] = time.time,
        settings: Mapping[str, config.Device] | None = None,
        journal: Journal,
        record: config.Record | None = None,
    ) -> None:
        self.options = options
        self.models = models
        self.publisher = publisher
        self.metrics = metrics
        self.devices = Devices(options, publisher, metrics, clock, settings or {})
        self.journal = journal
        self.keeper = Keeper(journal, self.devices, publisher, clock, utc)
        self.answering = Answering(
            self.keeper, self.devices, publisher, metrics, self._finish, clock
        )
        self.recorder = Recorder(record or config.Record(), publisher, metrics)
        self.stopping = False
        self._clock = clock
        self.utc = utc  # s since 1970
        self._sessions: OrderedDict[Key, Live] = OrderedDict()  # least recently fed first
        self._current: dict[tuple[str, str], Live] = {}  # newest by channel and device

    def open(self, channel: str, device: str, session: str | None = None) -> Live:
        """Resume a session, or begin one, of the given name or one of our own."""
        known = self._sessions.get((channel, device, session)) if session else None
        if known is not None and not known.closing:
            self._current[channel, device] = known
            return known
        self.journal.check_open()
        if len(self._sessions) >= self.options.max_sessions:
            self._end_idlest()
        model = self.models.of(device)
        core = Session(device, session or uuid.uuid4().hex, model.options)
        live = Live(channel, core, self.devices.get(device), model)
        live.seen = self._clock()
        live.device.sessions.append(core)
        self._sessions[live.key] = live
        self._current[channel, device] = live
        self.metrics.sessions.set(len(self._sessions))
        return live

    def locate(
        self, channel: str, device: str, session: str | None, seq: int | None, payload: bytes
    ) -> Live:
        """Find the session of a frame that came without a connection of its own.

        A frame with `seq` 0 and no session opens a new one, unless it repeats the current
        session's frame 0; what it replaces is ended.
        """
        if session is not None:
            return self.open(channel, device, session)
        current = self.current(channel, device)
        digest = blake2b(payload, digest_size=16).digest() if seq == 0 else b""
        if current is not None and (seq != 0 or current.first_frame == digest):
            return current
        if current is not None:
            self.end(current)
        live = self.open(channel, device)
        live.first_frame = digest
        return live

    def current(self, channel: str, device: str) -> Live | None:
        """Return the session of a device on a channel that was opened or resumed last."""
        live = self._current.get((channel, device))
        return None if live is None or live.closing else live

    def take(self, live: Live, message: Frame | Label, rate_hz: float) -> None:
        """Feed a frame, or a label, to its session.

        Raises DeviceError for one that doesn't fit, and OverloadedError as `check_room` does.
        """
        self.check_room(live)
        utc, files = self.utc(), live.files
        new = message.seq is None or message.seq >= live.session.next_seq
        if isinstance(message, Label):
            self.recorder.check(message)
            self.arrived(live, message.seq)
            if new:  # a repeat changes nothing
                self.keeper.keep(live, LabelInput(message.seq, message.t, message.label))
            self.recorder.label(live, message)
        else:
            self.arrived(live, message.seq)
            if new:
                self.keeper.keep(live, frame_input(message, rate_hz, utc))
            self.feed(live, message, utc, rate_hz)
        if live.files != files:  # else a restart would begin that file once more
            self.keeper.save(live)
        self.keeper.acknowledge(live)

    def feed(self, live: Live, frame: Frame, utc: float, rate_hz: float) -> None:
        """Feed a frame that the journal has; raises DeviceError for one that doesn't fit."""
        windows = live.session.feed(frame, utc, rate_hz)
        live.count(self.metrics, len(frame.xyz))
        live.show(self.publisher)
        self.recorder.write(live)
        for window in windows:
            self.answering.submit(live, window)
        quality = live.session.quality()
        if quality is not None:
            self.devices.judge(live.device, quality, live.channel)

    def check_room(self, live: Live) -> None:
        """Raise OverloadedError where no frame of this session can be taken now."""
        if self.stopping:
            raise OverloadedError("the service is stopping; connect again")
        self.journal.check_room()
        live.model.batcher.check_room()

    def refuse(self, live: Live | None, channel: str, error: DeviceError) -> Error:
        """Consume and count a frame that is nonsense; return what to tell the device."""
        self.metrics.refused.labels(channel, error.code).inc()
        if live is not None and self.journal.problem is None:
            self.arrived(live, error.seq, good=False)
            if error.seq is not None and error.seq >= live.session.next_seq:
                self.keeper.keep(live, RefusedInput(error.seq))
                live.session.consume(error.seq)
            self.keeper.acknowledge(live)
        return Error(code=error.code, message=str(error), seq=error.seq)

    def refuse_unplaced(
        self, channel: str, device: str, session: str | None, payload: bytes, error: DeviceError
    ) -> tuple[Live | None, Error]:
        """Refuse a frame that came without a connection, in the session it would have gone to."""
        live = None
        if error.seq is not None:
            live = self.locate(channel, device, session, error.seq, payload)
        return live, self.refuse(live, channel, error)

    def turned(self, name: str) -> int:
        """Keep what a check of a device's signs changed; return the commit that does."""
        for live in self._sessions.values():
            if live.session.device == name:
                self.keeper.save(live)
        self.keeper.keep_device(self.devices.get(name))
        return self.journal.group

    def lives(self) -> list[Live]:
        """Return all sessions that are not over."""
        return list(self._sessions.values())

    def attach(self, live: Live, outbox: Outbox) -> None:
        """Make `outbox` the device's one connection; an older one is replaced."""
        previous = live.device.connection
        if previous is not None:
            previous.close(4000, "replaced by a newer connection of this device")
        live.device.connection = live.outbox = outbox
        self.devices.update_status(live.device)

    def detach(self, live: Live, outbox: Outbox, *, done: bool) -> None:
        """Let go of a connection; `done` says that the device closed its session."""
        if live.device.connection is outbox:
            live.device.connection = None
        if live.outbox is outbox:
            live.outbox = None
            if done or live.session.next_seq == 0:
                self.end(live)
        self.devices.update_status(live.device)

    def end(self, live: Live) -> None:
        """Close a session once its last windows are answered."""
        live.closing = True
        if not live.waiting:
            self._finish(live)

    def sweep(self) -> None:
        """Let sessions expire and devices go offline; call it every second or so."""
        before = self._clock() - self.options.expires_s
        for live in list(takewhile(lambda one: one.seen < before, self._sessions.values())):
            if live.outbox is not None:
                live.outbox.close(1001, "no frame for expires_s; connect again")
            self.end(live)
        self.devices.sweep()
        self.metrics.waiting.set(self.models.waiting)
        self.metrics.journal_waiting.set(self.journal.waiting)

    def _end_idlest(self) -> None:
        for live in self._sessions.values():
            if live.outbox is None and not (live.closing or live.feeding):
                return self.end(live)
        raise TooManyError(f"{len(self._sessions)} sessions are live, no more are allowed")

    def arrived(self, live: Live, seq: int | None, *, good: bool = True) -> None:
        """Note that a message of the session has come; nonsense makes nobody known."""
        live.seen = self._clock()
        if live.key in self._sessions:
            self._sessions.move_to_end(live.key)
        self.devices.seen(live.device, live.session, good=good)
        live.count_arrival(seq, self.metrics)

    def _finish(self, live: Live) -> None:
        if live.finished:
            return
        live.finished = True
        self.recorder.finish(live)
        live.device.sessions.remove(live.session)
        if self._sessions.get(live.key) is live:  # and not a namesake that was opened since
            del self._sessions[live.key]
        self.metrics.sessions.set(len(self._sessions))
        place = (live.channel, live.session.device)
        if self._current.get(place) is live:
            del self._current[place]
        for event in live.session.close():
            self.publisher.publish(event.device, event, live.channel, live.opened)
            live.device.ended(event)
            self.devices.changed(live.device)
        self.keeper.end(live)
