"""The one-time check of a device's signs: it lies face up, so z must be positive."""

import msgspec

from stream.devices import Devices
from stream.errors import CheckError
from stream.wire.text import Axes

FLAT = 0.9  # of the readings' length lies along z; 26° are allowed
OTHER: dict[Axes, Axes] = {"android": "ios", "ios": "android"}


class FaceUp(msgspec.Struct, frozen=True):
    """What the check found, and what was believed before."""

    device: str
    axes: Axes
    before: Axes
    z: float  # m/s², mean of the last seconds as they were understood before
    detail: str


def check(devices: Devices, name: str) -> FaceUp:
    """Decide a device's signs, now that it lies face up, and remember them while it is known.

    Windows never mix signs: where they were wrong, the device's sessions begin theirs anew.
    Raises CheckError where the device doesn't stream or lie flat, or config.toml says its axes.
    """
    settings, device = devices.settings.get(name), devices.find(name)
    if settings is not None and settings.axes:
        raise CheckError(f"config.toml says axes = {settings.axes!r} for {name}, and that counts")
    silent = CheckError(f"{name} sends nothing: begin to stream, lay it face up, wait 5 s")
    if device is None or device.newest is None or not devices.recent(device):
        raise silent
    z, share = device.newest.mean_z()
    if share == 0.0:  # it sends nothing that became samples
        raise silent
    if share < FLAT:
        raise CheckError(
            f"{name} does not lie flat and still: z is {z:.1f} m/s², {share:.0%} of the whole, and "
            f"{FLAT:.0%} are needed; lay it face up and wait 5 s"
        )
    before = device.newest.axes
    axes = before if z > 0 else OTHER[before]
    device.checked_axes = axes
    for session in device.sessions:
        if session.axes != axes:
            session.break_off()
    return FaceUp(name, axes, before, round(z, 2), _detail(axes, before, z))


def _detail(axes: Axes, before: Axes, z: float) -> str:
    if axes == before:
        return f"z is {z:.1f} m/s² face up: the signs were right."
    return f"z is {z:.1f} m/s² face up: the signs were wrong, and are turned from now on."
