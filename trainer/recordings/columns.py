"""Finds a recording's columns by their names, in any order, case, and spelling that is usual."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trainer.errors import DataError

TIME_UNITS: Mapping[str, str] = {
    **dict.fromkeys(("s", "sec", "secs", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "millis", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "μs", "usec", "micros", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanoseconds"), "ns"),
}
UNITS: Mapping[str, str] = {**TIME_UNITS, "g": "g", "ms2": "m/s2", "mps2": "m/s2"}
# Names without case, unit and punctuation; `secondselapsed` is Sensor Logger's.
TIMES = frozenset(
    {"t", "time", "timestamp", "ts", "elapsed", "elapsedtime", "timeelapsed", "timesincestart"}
    | {"secondselapsed", "epoch", "epochtime", "unixtime", *TIME_UNITS}
)
# `totalacceleration` is Sensor Logger's, `gf` (gFx, g-force) Physics Toolbox's; both hold gravity.
TOTAL = ("totalacceleration", "accelerationincludinggravity", "gf", "gforce")
# Some apps write gravity into these, some beside: with gravity columns, the signal decides.
EITHER = ("accelerometer", "acceleration", "accel", "acc", "a", "")
LINEAR = ("useracceleration", "linearacceleration", "linearaccelerometer")
GRAVITY = ("gravity",)  # but not g: gx is the gyroscope's as often
LABELS = ("label", "activity", "class", "activitylabel")
SUBJECTS = ("subject", "subjectid", "user", "userid", "person", "participant", "participantid")
DEVICES = ("device", "deviceid", "devicename", "phone")
SESSIONS = ("session", "sessionid", "trial")
AXES = ("axes",)
_MS2 = re.compile(r"m\s*/\s*s\s*(\^?2|/\s*s)|m\s*[·*]?\s*s\^?[-\u2212]2")
_BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]")

Triple = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a recording's columns are, and the units that their names give, or None.

    `gravity` is to be looked at together with `xyz`; `linear` says that `xyz` is without it.
    """

    time: int
    time_unit: str | None
    xyz: Triple
    unit: str | None
    gravity: Triple | None
    linear: bool
    label: int | None
    subject: int | None
    device: int | None
    session: int | None
    axes: int | None

    @property
    def numeric(self) -> tuple[int, ...]:
        """The columns that every row needs a number in: the time, then the axes."""
        return (self.time, *self.xyz, *(self.gravity or ()))


def find(header: Sequence[str], name: str) -> Columns:
    """Find the columns; raises DataError, which says what `name` lacks and what it has."""
    keys, units = zip(*map(key_and_unit, header), strict=True)
    axes = {axis: at for at, key in reversed(list(enumerate(keys))) if (axis := _axis(key))}
    time = _time(keys, units)
    xyz, linear = _acceleration(axes)
    if time is None or xyz is None:
        has = ", ".join(header[:12]) + (", …" if len(header) > 12 else "")
        raise DataError(
            f"{name}: has the columns {has}; a recording needs a time (t, time_ms, timestamp, …)"
            " and acceleration with gravity (x, y, z, or acc_x, accelerometer.x, …)"
        )
    total = any(_triple(axes, [stem]) == xyz for stem in TOTAL)
    gravity = None if total else _triple(axes, GRAVITY)
    unit = _one_unit([units[at] for at in (*xyz, *(gravity or ()))], name)
    others = (_first(keys, known) for known in (LABELS, SUBJECTS, DEVICES, SESSIONS, AXES))
    time_unit = TIME_UNITS.get(units[time] or "")
    return Columns(time, time_unit, xyz, unit, gravity, linear, *others)


def key_and_unit(column: str) -> tuple[str, str | None]:
    """Return a column's name without case and punctuation, and the unit that it ends with.

    >>> key_and_unit("Acceleration x (m/s²)"), key_and_unit("accX_g"), key_and_unit("timeMs")
    (('accelerationx', 'm/s2'), ('accx', 'g'), ('time', 'ms'))
    """
    name = unicodedata.normalize("NFKC", column)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).casefold()
    name = _MS2.sub("ms2", name)
    unit = next(
        (UNITS[text] for text in map(str.strip, _BRACKETS.findall(name)) if text in UNITS), None
    )
    words = [word for word in re.split(r"[^a-z0-9μ]+", _BRACKETS.sub("", name)) if word]
    if unit is None and len(words) > 1 and words[-1] in UNITS:
        unit = UNITS[words.pop()]
        words = words[:-1] if words[-1] == "in" else words
    key = "".join(words)
    return key, "s" if key == "secondselapsed" else unit or TIME_UNITS.get(key)


def _time(keys: Sequence[str], units: Sequence[str | None]) -> int | None:
    """Return the time that names its unit, or else the first one."""
    times = [at for at, key in enumerate(keys) if key in TIMES]
    return min(times, key=lambda at: units[at] is None, default=None)


def _axis(key: str) -> tuple[str, str] | None:
    """Split `accx`, `xacc` or `accxaxis` into (acc, x)."""
    last = re.fullmatch(r"(.*?)([xyz])(?:axis)?", key)
    if last and last[1] in (*TOTAL, *EITHER, *LINEAR, *GRAVITY):
        return last[1], last[2]
    if key[:1] in ("x", "y", "z") and key[1:] in (*TOTAL, *EITHER, *LINEAR, *GRAVITY):
        return key[1:], key[0]
    return None


def _acceleration(axes: Mapping[tuple[str, str], int]) -> tuple[Triple | None, bool]:
    """Return the columns to take, and whether gravity must be added to them."""
    total = _triple(axes, [*TOTAL, *EITHER])
    if total is None and _triple(axes, GRAVITY):
        return _triple(axes, LINEAR), True
    return total, False


def _triple(axes: Mapping[tuple[str, str], int], stems: Iterable[str]) -> Triple | None:
    for stem in stems:
        if all((stem, axis) in axes for axis in "xyz"):
            return axes[stem, "x"], axes[stem, "y"], axes[stem, "z"]
    return None


def _one_unit(units: Sequence[str | None], name: str) -> str | None:
    named = {unit for unit in units if unit in ("g", "m/s2")}
    if len(named) > 1:
        raise DataError(f"{name}: has acceleration both in g and in m/s2: one unit is needed")
    return named.pop() if named else None


def _first(keys: Sequence[str], known: Iterable[str]) -> int | None:
    return next((keys.index(name) for name in known if name in keys), None)
