"""After a crash: live sessions from the journal, as if there had been none."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import takewhile
from math import inf
from typing import NamedTuple

import msgspec

from stream.doors import apps
from stream.errors import ConfigError, DeviceError, JournalError, OverloadedError
from stream.events import Ended, Prediction, Started
from stream.hub import Hub
from stream.journal.groups import SessionRow
from stream.journal.records import (
    AnyInput,
    DeviceState,
    FrameInput,
    LabelInput,
    LiveState,
    PushInput,
    decode_device,
    decode_input,
    decode_live,
)
from stream.journal.store import Store
from stream.live import Live
from stream.logs import Faults
from stream.tracker import Transition
from stream.wire.incoming import Label

log = logging.getLogger(__name__)
faults = Faults(log)


class KeptSession(NamedTuple):
    """Where a session stood, and what the history says of the windows after that."""

    row: SessionRow
    state: LiveState
    said: dict[int, Prediction]  # by window
    told: set[str]  # ids of events


class Kept(NamedTuple):
    """What the journal says of the time before."""

    devices: dict[str, DeviceState]
    sessions: dict[int, KeptSession]  # by the number of the first input
    lost: list[SessionRow]  # sessions that can't be read
    inputs: list[tuple[int, int, AnyInput]]  # number, session, input


def load(store: Store) -> Kept:
    """Read what a restart needs; raises JournalError. What of it can't be read is left out."""
    sessions = {kept.row.opened: kept for kept in _sessions(store)}
    lost = [row for row in store.sessions() if row.opened not in sessions]
    first = min((kept.row.covers for kept in sessions.values()), default=0)
    inputs = [
        (number, opened, decode_input(body))
        for number, opened, body in store.inputs(first)
        if opened in sessions and number > sessions[opened].row.covers
    ]
    return Kept(dict(_devices(store)), sessions, lost, inputs)


def _devices(store: Store) -> Iterator[tuple[str, DeviceState]]:
    for row in store.devices():
        try:
            yield row.name, decode_device(row.state)
        except JournalError as error:
            log.warning("what was known of device %s is lost: %s", row.name, error)


def _sessions(store: Store) -> Iterator[KeptSession]:
    for row in store.sessions():
        try:
            state = decode_live(row.state)
            said, told = _said(store, row, state), _told(store, row, state)
        except (JournalError, msgspec.MsgspecError) as error:
            _cannot_go_on(row, error)
        else:
            yield KeptSession(row, state, said, told)


def _said(store: Store, row: SessionRow, state: LiveState) -> dict[int, Prediction]:
    """Return what was said of the windows that a state does not cover."""
    first = state.next_window
    with closing(store.predictions(row.device, row.opened)) as newest_first:
        newer = takewhile(lambda said: said[0] >= first, newest_first)
        return {window: msgspec.json.decode(text, type=Prediction) for window, text in newer}


def _told(store: Store, row: SessionRow, state: LiveState) -> set[str]:
    """Return the ids of the events that these windows brought."""
    with closing(store.events(row.device, row.opened)) as newest_first:
        ids = (id_ for id_, _ in newest_first)
        return set(takewhile(lambda id_: _window_of(id_) >= state.next_window, ids))


def _window_of(event: str) -> float:
    """Return the window that an event's id names; infinity for the session's end."""
    window = event.split("/")[2]
    return int(window) if window.isdecimal() else inf


def recover(hub: Hub, kept: Kept, max_g: float) -> None:
    """Bring devices and live sessions back, before anyone is let in.

    Windows that had no answer are asked about again, and what came after the saved states is
    taken again: the same windows, under the same ids. What the history has of them already stays
    said, even where the model is another one now.
    """
    for name in list(kept.devices)[-hub.options.max_devices :]:
        hub.devices.get(name).restore(kept.devices[name])
    kept = _at_most(kept, hub.options.max_sessions)
    for row in kept.lost:
        _end(hub, row)
    newest = {_key(known.row): opened for opened, known in kept.sessions.items()}
    over = kept.sessions.keys() - newest.values()  # each was ended, and a namesake opened since
    for live in _again(hub, kept, over, max_g):
        hub.end(live)
    for live in _again(hub, kept, newest.values(), max_g):
        live.durable_seq = live.session.next_seq
        live.device.judged = live.session.judged()


def _at_most(kept: Kept, count: int) -> Kept:
    """Leave out the sessions that were saved longest ago, where fewer are allowed than before."""
    sessions = sorted(kept.sessions.items(), key=lambda known: known[1].row.covers)
    going_on, lost = sessions[-count:], [known.row for _, known in sessions[:-count]]
    for row in lost:
        _cannot_go_on(row, f"hub.max_sessions = {count}")
    return kept._replace(sessions=dict(sorted(going_on)), lost=[*kept.lost, *lost])


def _again(hub: Hub, kept: Kept, which: Iterable[int], max_g: float) -> list[Live]:
    """Bring some of the sessions back, with all their inputs."""
    found = {opened: _session(hub, kept.sessions[opened], max_g) for opened in sorted(which)}
    for number, opened, what in kept.inputs:
        live = found.get(opened)
        if live is not None:
            hub.keeper.restored(live, number)
            _take_again(hub, live, what, max_g)
    return [live for live in found.values() if live is not None]


def _session(hub: Hub, kept: KeptSession, max_g: float) -> Live | None:
    row, state = kept.row, kept.state
    try:
        live = hub.open(row.channel, row.device, row.session)
    except OverloadedError as error:  # fewer devices are allowed than before
        _cannot_go_on(row, error)
        _end(hub, row)
        return None
    live.opened, live.said, live.told = row.opened, kept.said, kept.told
    try:
        live.restore(state, max_g)
    except (JournalError, ConfigError) as error:
        _cannot_go_on(row, error)
        hub.end(live)
        _end(hub, row)
        return None
    live.device.newest = live.session
    for waiting in state.waiting:
        hub.answering.submit(live, waiting.window())
    return live


def _key(row: SessionRow) -> tuple[str, str, str]:
    return row.channel, row.device, row.session


def _cannot_go_on(row: SessionRow, why: Exception | str) -> None:
    log.warning("session %s of %s can't go on: %s", row.session, row.device, why)


def _end(hub: Hub, row: SessionRow) -> None:
    """End a session that can't go on, and what it did, where its history left that open."""
    hub.journal.end_session(row.opened)
    try:
        event = _open_end(hub.journal.store, row)
    except (msgspec.MsgspecError, JournalError) as error:
        log.warning("what session %s of %s did is lost: %s", row.session, row.device, error)
        return
    if event is None:
        return
    hub.publisher.publish(row.device, event, row.channel, row.opened)
    device = hub.devices.find(row.device)
    if device is not None:
        device.ended(event)
        hub.devices.changed(device)


def _open_end(store: Store, row: SessionRow) -> Ended | None:
    """Return the end of the activity that a session was in, at its newest window; None for none."""
    with closing(store.events(row.device, row.opened)) as events:
        id_, text = next(events, ("", ""))
    if not id_.endswith("/started"):
        return None
    begun = msgspec.json.decode(text, type=Started)
    t, time = begun.t, begun.time
    with closing(store.predictions(row.device, row.opened)) as predictions:
        for _, said in predictions:
            newest = msgspec.json.decode(said, type=Prediction)
            t, time = newest.t[1], newest.time
            break
    # A device's clock may run back.
    change = Transition(begun.activity, "", t, min(begun.t, t))
    return change.ended(row.device, row.session, "close", time)


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
