"""Messages of sensor apps meet the hub, whichever door they came through."""

from stream.config import Wire
from stream.dialects.dialect import Dialect
from stream.errors import DeviceError
from stream.hub import Hub
from stream.intake import Intake
from stream.wire import check_id


def take(
    hub: Hub, channel: str, dialect: Dialect, limits: Wire, payload: bytes, device: str = ""
) -> str:
    """Take a message; return what its user should be told now, or nothing.

    `device` counts more than what the message says. Raises DeviceError for nonsense, and
    OverloadedError, before anything is changed, where there is no room.
    """
    push = dialect.read(payload, limits)
    if push.test:
        return ""
    name = device or push.device
    if not name:
        raise DeviceError("the message names no device: deviceId, or ?device= in the URL, must")
    live = hub.open(channel, check_id("device", name), push.session)
    hub.check_room(live)
    if live.intake is None:
        live.intake = Intake(name, dialect, limits.max_g)
    frame = live.intake.feed(push, hub.devices.told(name))
    if frame is not None:
        hub.take(live, frame, 20.0)
    return live.intake.news(live.session.complaint)
