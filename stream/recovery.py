"""After a crash: live sessions from the journal, as if there had been none."""

import logging
from collections import deque
from contextlib import closing
from typing import NamedTuple

from stream import apps
from stream.archive import Archive
from stream.entries import Entry, Query
from stream.errors import ConfigError, DeviceError, JournalError
from stream.groups import SessionRow
from stream.hub import Hub
from stream.incoming import Label
from stream.journal import Journal
from stream.live import Live
from stream.logs import Faults
from stream.records import (
    AnyInput,
    DeviceState,
    FrameInput,
    LabelInput,
    PushInput,
    decode_device,
    decode_input,
    decode_live,
)
from stream.store import Store

log = logging.getLogger(__name__)
faults = Faults(log)


class Kept(NamedTuple):
    """What the journal says of the time before."""

    devices: dict[str, DeviceState]
    sessions: dict[int, SessionRow]  # by the number of the first input
    answered: dict[int, int]  # newest window of a session whose prediction the history has
    inputs: list[tuple[int, int, AnyInput]]  # number, session, input


def load(store: Store) -> Kept:
    """Read what a restart needs; raises JournalError."""
    sessions = {row.opened: row for row in store.sessions()}
    first = min((row.covers for row in sessions.values()), default=0)
    newest = {
        row.opened: store.newest_prediction(row.device, row.opened) for row in sessions.values()
    }
    return Kept(
        {row.name: decode_device(row.state) for row in store.devices()},
        sessions,
        {opened: int(id_.rpartition("/")[2]) for opened, id_ in newest.items() if id_},
        [
            (number, opened, decode_input(body))
            for number, opened, body in store.inputs(first)
            if opened in sessions and number > sessions[opened].covers
        ],
    )


def unsent(journal: Journal, mark: str, limit: int) -> list[Entry]:
    """Return what the history has after a mark, at most the newest `limit`; raises JournalError.

    Where there is no such mark yet, it is set to the newest.
    """
    newest = journal.position
    if mark not in journal.marks:
        journal.put_mark(mark, newest)
    after, found = journal.marks.get(mark, newest), deque[Entry](maxlen=limit)
    with closing(Archive(journal.path)) as archive:
        while after < newest and (rows := archive.rows(after, newest, Query())):
            found.extend(rows)
            after = rows[-1].position
    return list(found)


def recover(hub: Hub, kept: Kept, max_g: float) -> None:
    """Bring devices and live sessions back, before anyone is let in.

    Windows that had no answer are asked about again, and what came after the saved states is
    taken again: the same windows, under the same ids.
    """
    for name in list(kept.devices)[-hub.options.max_devices :]:
        hub.devices.get(name).restore(kept.devices[name])
    lives = {
        opened: _session(hub, row, kept.answered.get(opened, -1), max_g)
        for opened, row in kept.sessions.items()
    }
    for number, opened, what in kept.inputs:
        live = lives[opened]
        if live is not None:
            hub.keeper.restored(live, number)
            _take_again(hub, live, what, max_g)
    for live in filter(None, lives.values()):
        live.durable_seq = live.session.next_seq
        live.device.judged = live.session.judged()


def _session(hub: Hub, row: SessionRow, answered: int, max_g: float) -> Live | None:
    live = hub.open(row.channel, row.device, row.session)
    live.opened, live.answered = row.opened, answered
    try:
        state = decode_live(row.state)
        live.restore(state, max_g)
    except (JournalError, ConfigError) as error:
        log.warning("session %s of %s can't go on: %s", row.session, row.device, error)
        hub.end(live)
        return None
    live.device.newest = live.session
    for waiting in state.waiting:
        hub.answering.submit(live, waiting.window())
    return live


def _take_again(hub: Hub, live: Live, what: AnyInput, max_g: float) -> None:
    try:
        if isinstance(what, FrameInput):
            hub.feed(live, what.frame(), what.utc, what.default_rate_hz)
        elif isinstance(what, PushInput):
            for _ in apps.slices(hub, live, what, max_g):
                pass
        elif isinstance(what, LabelInput):
            hub.recorder.label(live, Label(what.seq, what.t, what.label))
        else:
            live.session.consume(what.seq)
    except DeviceError:
        return  # it was refused at first, too
    # Whatever it is: what one input brings to light must not keep the service from starting. It
    # went the same way at first, and the session went on.
    except Exception as error:  # noqa: BLE001  see above
        faults.log(f"session {live.session.id} of {live.session.device}", error)
