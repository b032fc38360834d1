"""What every dialect has, and how names become ids. Knows no app."""

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

from stream.config import ID, Wire
from stream.readings import Push, Traits

_VALID = re.compile(ID)
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")
KEPT = 50  # characters of a name that is no id


class Dialect(NamedTuple):
    """An app that pushes messages."""

    name: str  # last part of its path, as in /v1/sensor-logger
    read: Callable[[bytes, Wire], Push]  # raises DeviceError
    owner: Callable[[bytes], str]  # the device of a message that may be nonsense, or nothing
    traits: Traits
    missing: str  # what to tell somebody whose messages hold no acceleration


def valid_id(name: str) -> str:
    """Make a device or session id of whatever an app calls it: the same for the same name.

    >>> valid_id("62be-97-4f")
    '62be-97-4f'
    >>> valid_id("Ann's phone")
    'Ann-s-phone-727442e6'
    """
    if not name or _VALID.fullmatch(name):
        return name
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    kept = _UNFIT.sub("-", name).strip("-_.")[:KEPT]
    return f"{kept}-{digest}" if kept else digest
