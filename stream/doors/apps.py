"""Messages of sensor apps meet the hub, whichever door they came through.

A large one holds nobody up: it is read by a thread and fed in slices, between which others have
their turn, except other messages of the same device.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

import msgspec

from stream.access.visitor import Stream
from stream.config import Wire
from stream.errors import DeviceError
from stream.events import Quality
from stream.hub import Hub
from stream.journal.records import PushInput
from stream.live import Live
from stream.sensor_apps.dialects.dialect import Dialect
from stream.sensor_apps.readings import Push
from stream.wire import check_id

LARGE = 32_768  # bytes; reading more takes longer than handing it to a thread
SLICE = 512  # samples that are fed at once; at 1 Hz they make 256 windows

T = TypeVar("T")


class Advice(NamedTuple):
    """What the user of an app should change, if it wasn't said before; else empty."""

    text: str = ""
    group: int = 0  # the commit that makes the message durable


async def take(
    hub: Hub,
    channel: str,
    dialect: Dialect,
    limits: Wire,
    payload: bytes,
    allowed: Stream,
    device: str = "",
) -> Advice:
    """Take a message; return what its user should be told now.

    `device` counts more than what the message says. Raises DeviceError for nonsense, TooFastError
    where more comes than is allowed, and OverloadedError, before anything is changed, where there
    is no room.
    """
    async with hub.devices.turn(device or dialect.owner(payload)):
        allowed.message(len(payload))
        push = await read(dialect.read, payload, limits)
        allowed.samples(len(push.readings))
        if push.test:
            return Advice()
        return await _feed(hub, channel, dialect, limits, push, device or push.device)


async def read(decode: Callable[[bytes, Wire], T], payload: bytes, limits: Wire) -> T:
    """Return what a message says; raises DeviceError for nonsense."""
    if len(payload) <= LARGE:
        return decode(payload, limits)
    return await asyncio.to_thread(decode, payload, limits)


async def feed(
    hub: Hub, channel: str, dialect: Dialect, limits: Wire, push: Push, name: str
) -> Advice:
    """Take a message that is read already, of the device `name`; as `take` does."""
    async with hub.devices.turn(name):
        return await _feed(hub, channel, dialect, limits, push, name)


async def _feed(
    hub: Hub, channel: str, dialect: Dialect, limits: Wire, push: Push, name: str
) -> Advice:
    """Take a message in the device's turn; it is kept whole, before any of it is fed.

    Without a session of its own it goes on in the device's current one; where that is another
    sender's, it ends.
    """
    if not name:
        raise DeviceError("the message names no device: it, or ?device= in the URL, must")
    lacks = dialect.lacks(push, _window_s(hub, check_id("device", name)))
    if lacks and not push.readings:
        return Advice(lacks)
    known = None if push.session else hub.current(channel, name)
    if known is not None and (known.intake is None or known.intake.dialect is not dialect):
        hub.end(known)
        known = None
    live = known or hub.open(channel, name, push.session)
    hub.check_room(live)
    what, files = PushInput(dialect.name, push, hub.devices.told(name), hub.utc()), live.files
    hub.keeper.keep(live, what)
    await _by_turns(hub, live, slices(hub, live, what, limits.max_g))
    if live.files != files:  # else a restart would begin that file once more
        hub.keeper.save(live)
    news = _news(hub, live)
    return Advice(lacks or news, live.group)  # one that is too short is judged by others before it


def _news(hub: Hub, live: Live) -> str:
    """Return what is new to tell the user, and publish what no sample could tell as quality."""
    if live.intake is None:
        return ""
    fault, news = live.intake.fault, live.intake.news(live.session.complaint)
    shown, said = live.device.judged, live.session.judged()
    if fault and (news or shown is None or shown.advice != fault):
        hub.devices.judge(live.device, _poor(live, said, fault), live.channel)
    if not fault and said and shown and shown != said and shown.session == said.session:
        hub.devices.judge(live.device, said, live.channel)  # it holds again
    return news


def _poor(live: Live, said: Quality | None, fault: str) -> Quality:
    """Word a fault as quality; the numbers are those that were `said` of the samples so far."""
    if said is not None:
        return msgspec.structs.replace(said, state="poor", advice=fault)
    return Quality(
        device=live.session.device,
        session=live.session.id,
        state="poor",
        rate_hz=0.0,
        gaps=0,
        late=0,
        advice=fault,
    )


def _window_s(hub: Hub, device: str) -> float:
    signal = hub.models.of(device).options.signal
    return signal.window / signal.grid_hz


async def _by_turns(hub: Hub, live: Live, steps: Iterator[None]) -> None:
    """Feed all slices, and let others have their turn in between.

    What the journal has is fed whole, even where this is cancelled in the middle: else the session
    would not stand where the journal says.
    """
    try:
        for _ in steps:
            hub.arrived(live, None)  # also where nothing of it became a sample
            if live.feeding:  # there is more
                await asyncio.sleep(0)
                await live.model.batcher.room()
    finally:
        for _ in steps:
            pass


def slices(hub: Hub, live: Live, what: PushInput, max_g: float) -> Iterator[None]:
    """Feed a message that the journal has, and yield after each slice of its samples, or once.

    Raises DeviceError for nonsense, before any of it is fed.
    """
    live.intake = live.intake or live.new_intake(what.dialect, max_g)
    lost = live.intake.lost
    frame = live.intake.feed(what.push, what.told)
    hub.metrics.dropped.labels("gravity").inc(live.intake.lost - lost)
    if frame is None:
        yield
        return
    count = len(frame.xyz)
    try:
        for begin in range(0, count, SLICE):
            end = begin + SLICE
            live.feeding = end < count
            t = None if frame.t is None else frame.t[begin:end]
            part = frame._replace(t=t, xyz=frame.xyz[begin:end])
            hub.feed(live, part, what.utc, 20.0)
            yield
    finally:  # where it failed in the middle, a restart fails there, too
        live.feeding = False
