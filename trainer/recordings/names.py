"""What words say of a recording: the activity that a label, a file or a folder names, if any."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stream.events import UNKNOWN

WORDS: dict[str, str] = {
    "walk": "Walking",
    "walking": "Walking",
    "jog": "Jogging",
    "jogging": "Jogging",
    "run": "Jogging",
    "running": "Jogging",
    "upstairs": "Upstairs",
    "downstairs": "Downstairs",
    "stair": "Stairs",
    "stairs": "Stairs",
    "sit": "Sitting",
    "sitting": "Sitting",
    "stand": "Standing",
    "standing": "Standing",
    "other": UNKNOWN,
    "unknown": UNKNOWN,
    "none": UNKNOWN,
    "stop": UNKNOWN,
    "end": UNKNOWN,
}
# These mean stairs beside the word, or as the first one: "push-up" and "lie down" don't.
DIRECTIONS = {"up": "Upstairs", "down": "Downstairs"}
FILLERS = frozenset({"the", "going", "climbing"})
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True, slots=True)
class Origin:
    """What errors call a recording, and what the names of its file and folders say of it.

    `label` is `Unknown` and `subject` is None where they say nothing.
    """

    name: str
    label: str = UNKNOWN
    subject: str | None = None


DATE_DIGITS = 6  # as in 22.11.26


def activity_in(text: str) -> str | None:
    """Return the one activity that a text names among other words; None for none or several.

    >>> activity_in("2026-11-22_WalkingPocket1"), activity_in("stairs up"), activity_in("push-up")
    ('Walking', 'Upstairs', None)
    """
    words = _words(text)
    found = {WORDS[word] for word in words if word in WORDS}
    directions = {DIRECTIONS[word] for word in words if word in DIRECTIONS}
    if directions and ("Stairs" in found or words[0] in DIRECTIONS):
        found |= directions
    elif directions:
        return None
    if found & {"Stairs", "Upstairs", "Downstairs"}:
        found.discard("Walking")  # "walking upstairs"
    if found & {"Upstairs", "Downstairs"}:
        found.discard("Stairs")
    return found.pop() if len(found) == 1 else None


def label_of(text: str) -> str:
    """Return the label that a cell or a note holds: an activity, or its own words in title case.

    >>> label_of("WALKING_UPSTAIRS"), label_of("walking the dog"), label_of(" ")
    ('Upstairs', 'Walking The Dog', 'Unknown')
    """
    known = WORDS.keys() | DIRECTIONS.keys() | FILLERS
    named = activity_in(text) if known.issuperset(_words(text)) else None
    return named or text.strip().title() or UNKNOWN


def label_from(names: Sequence[str]) -> str:
    """Return the activity that the first of these names has which names one, or `Unknown`."""
    return next((label for name in names if (label := activity_in(name))), UNKNOWN)


def subject_from(folders: Sequence[str]) -> str | None:
    """Return the first folder that may be a person's: no activity's, nor a date.

    A number is a person's only where no other folder is: it may as well count takes.
    """
    free = [name for name in folders if activity_in(name) is None]
    named = [name for name in free if any(map(str.isalpha, name))]
    numbered = [name for name in free if 0 < sum(map(str.isdigit, name)) < DATE_DIGITS]
    return next(iter(named + numbered), None)


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]
