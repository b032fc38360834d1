"""What happens to live sessions goes into the journal; when it is durable, the device hears of it.

Sessions with new inputs are saved one after another, each about every `SAVE_S`.
"""

import time
from collections.abc import Callable
from functools import partial
from itertools import islice

from stream.devices import Device, Devices
from stream.events import Ack, Message, State
from stream.journal.groups import DeviceRow, SessionRow
from stream.journal.journal import Journal
from stream.journal.records import AnyInput, encode
from stream.live import Live
from stream.publish import Publisher

SAVE_S = 20.0  # in which every session that goes on is saved once


class Keeper:
    """Keeps the inputs and states of live sessions."""

    def __init__(
        self,
        journal: Journal,
        devices: Devices,
        publisher: Publisher,
        clock: Callable[[], float] = time.monotonic,
        utc: Callable[[], float] = time.time,
    ) -> None:
        self.journal = journal
        self._devices = devices
        self._publisher = publisher
        self._clock = clock
        self._utc = utc
        self._unsaved: dict[Live, int] = {}  # the oldest input that no state covers
        self._acks: dict[Live, int] = {}  # of the current group: seq to come
        self._acks_group = 0
        self._saved_at = clock()
        self._due = 0.0  # sessions, in fractions
        journal.before_commit = self.save_some
        journal.needed = self._needed
        publisher.add_sink(self._hear)

    def keep(self, live: Live, what: AnyInput) -> None:
        """Write an input down; call it before the session takes it."""
        if not live.opened:
            live.opened = self.journal.next_input
            self._put(live, self.journal.next_input - 1)
        number = self.journal.put(live.opened, what)
        live.group = self.journal.group
        self._unsaved.setdefault(live, number)

    def acknowledge(self, live: Live) -> None:
        """Ack what the session has taken, once it is durable."""
        next_seq = live.session.next_seq
        if live.group <= self.journal.durable:
            self._ack(live, next_seq)
            return
        if self._acks_group != live.group:
            self._acks, self._acks_group = {}, live.group
            self.journal.then(live.group, partial(self._ack_all, self._acks))
        self._acks.pop(live, None)
        self._acks[live] = next_seq  # last, as its frame was

    def save(self, live: Live) -> None:
        """Write down where a session stands, if it ever began.

        Not in the middle of a message: the journal has it whole, and a restart takes it again.
        """
        if live.opened and not live.feeding:
            self._put(live, self.journal.next_input - 1)
            self._unsaved.pop(live, None)

    def save_some(self) -> None:
        """Save as many sessions as are due; those that wait longest first."""
        now = self._clock()
        self._due += (now - self._saved_at) * len(self._unsaved) / SAVE_S
        self._saved_at = now
        ready = (live for live in self._unsaved if not live.feeding)
        for live in list(islice(ready, int(self._due))):
            self._due -= 1
            self.save(live)
        self._due = min(self._due, 1.0)

    def save_all(self) -> None:
        """Save every session that has new inputs, so that a restart has nothing to do again."""
        for live in list(self._unsaved):
            self.save(live)

    def end(self, live: Live) -> None:
        """Forget a session: it is over."""
        self._unsaved.pop(live, None)
        if live.opened:
            self.journal.end_session(live.opened)

    def keep_device(self, device: Device) -> None:
        """Write down what is known of a device."""
        state = device.save()
        self.journal.put_device(DeviceRow(device.name, self._utc(), encode(state)))

    def restored(self, live: Live, number: int) -> None:
        """Note that a restored session took an input that its saved state does not cover."""
        self._unsaved.setdefault(live, number)

    def _hear(self, device: str, message: Message, _channel: str | None) -> None:
        found = self._devices.find(device) if isinstance(message, State) else None
        if found is not None:
            self.keep_device(found)

    def _put(self, live: Live, covers: int) -> None:
        _, device, session = live.key
        state = encode(live.save())
        row = SessionRow(live.opened, live.channel, device, session, covers, state)
        self.journal.put_session(row)

    def _needed(self) -> int:
        return min(self._unsaved.values(), default=self.journal.next_input)

    def _ack_all(self, acks: dict[Live, int]) -> None:
        for live, next_seq in acks.items():
            self._ack(live, next_seq)

    def _ack(self, live: Live, next_seq: int) -> None:
        live.durable_seq = max(next_seq, live.durable_seq)
        if live.durable_seq:
            ack = Ack(session=live.session.id, seq=live.durable_seq - 1)
            self._publisher.tell(live.session.device, ack, live.channel)
            if live.outbox is not None:
                live.outbox.send(ack)
