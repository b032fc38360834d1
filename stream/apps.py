"""Messages of sensor apps meet the hub, whichever door they came through."""

from typing import NamedTuple

from stream.config import Wire
from stream.dialects.dialect import Dialect
from stream.errors import DeviceError
from stream.hub import Hub
from stream.live import Live
from stream.readings import Push
from stream.records import PushInput
from stream.visitor import Stream
from stream.wire import check_id


class Advice(NamedTuple):
    """What the user of an app should change, if it wasn't said before; else empty."""

    text: str = ""
    published: bool = False  # as the session's quality
    group: int = 0  # the commit that makes the message durable


def take(
    hub: Hub,
    channel: str,
    dialect: Dialect,
    limits: Wire,
    payload: bytes,
    allowed: Stream,
    device: str = "",
) -> Advice:
    """Take a message; return what its user should be told now.

    `device` counts more than what the message says. Raises DeviceError for nonsense, and
    OverloadedError, before anything is changed, where there is no room.
    """
    push = dialect.read(payload, limits)
    allowed.samples(len(push.readings))
    if push.test:
        return Advice()
    return feed(hub, channel, dialect, limits, push, device or push.device)


def feed(hub: Hub, channel: str, dialect: Dialect, limits: Wire, push: Push, name: str) -> Advice:
    """Take a message that is read already, of the device `name`; as `take` does.

    Without a session of its own it goes on in the device's current one; that of another app ends.
    """
    if not name:
        raise DeviceError("the message names no device: it, or ?device= in the URL, must")
    known = None if push.session else hub.current(channel, check_id("device", name))
    if known is not None and known.intake is not None and known.intake.dialect is not dialect:
        hub.end(known)
        known = None
    live = known or hub.open(channel, name, push.session)
    hub.check_room(live)
    what = PushInput(dialect.name, push, hub.devices.told(name), hub.utc())
    hub.keeper.keep(live, what)
    if feed_kept(hub, live, what, limits.max_g):
        hub.arrived(live, None)
    complaint = live.session.complaint
    news = live.intake.news(complaint) if live.intake else ""
    return Advice(news, published=news == complaint, group=live.group)


def feed_kept(hub: Hub, live: Live, what: PushInput, max_g: float) -> bool:
    """Feed a message that the journal has; say whether samples became known.

    Raises DeviceError for nonsense.
    """
    live.intake = live.intake or live.new_intake(what.dialect, max_g)
    lost = live.intake.lost
    frame = live.intake.feed(what.push, what.told)
    hub.metrics.dropped.labels("gravity").inc(live.intake.lost - lost)
    if frame is not None:
        hub.feed(live, frame, what.utc, 20.0)
    return frame is not None
