"""People out of the known data sets, each as one track to play."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clients.errors import ReplayError
from clients.track import Track, join
from trainer.recordings import FORMATS, DataError, Format, MissingError, Recording

PAUSE_S = 2.0  # between recordings that don't follow on: a gap, so that no window mixes them
GET = "`gaitway data get wisdm` fetches some into ~/.cache/gaitway"


def load_people(path: Path, users: Sequence[str] = ()) -> list[Track]:
    """Read a data set's file, or every data set in a folder, as one track a person.

    `users` chooses people by the data set's own numbers, as 17, or with its name before them, as
    wisdm-v1.1-17; none means all. Raises ReplayError, which names what is there, or DataError for
    a damaged file.
    """
    if not path.exists():
        raise ReplayError(f"{path}: no such file or folder; {GET}")
    by_person: dict[str, list[Recording]] = {}
    for recording in _recordings(path):
        by_person.setdefault(f"{recording.dataset}-{recording.subject}", []).append(recording)
    chosen = {
        name: recordings
        for name, recordings in by_person.items()
        if not users or {name, recordings[0].subject} & set(users)
    }
    found = {*chosen, *(recordings[0].subject for recordings in chosen.values())}
    if absent := [user for user in users if user not in found]:
        known = ", ".join(sorted({r[0].subject for r in by_person.values()}, key=_by_number))
        raise ReplayError(f"{path}: no user {', '.join(absent)}; there are {known}")
    return [join(name, list(map(as_track, chosen[name])), PAUSE_S) for name in chosen]


def as_track(recording: Recording) -> Track:
    """Turn a recording into a track; where its times make no sense, by its nominal rate."""
    t = recording.t
    if t is None:
        t = np.arange(len(recording.xyz)) / recording.rate_hz
    return Track(recording.subject, recording.rate_hz, t, recording.xyz, recording.labels)


def _recordings(path: Path) -> list[Recording]:
    """Load every format that is there; a file under another name is tried as each of them."""
    named = [form for form in FORMATS.values() if path.name in form.files]
    found = [recording for form in named or FORMATS.values() for recording in _try(form, path)]
    if not found:
        names = ", ".join(form.files[0] for form in FORMATS.values())
        raise ReplayError(f"{path}: holds no recordings that are known: {names}; {GET}")
    return found


def _try(form: Format, path: Path) -> list[Recording]:
    try:
        return form.load(path)[0]
    except MissingError:
        return []
    except DataError:
        if path.name in form.files:
            raise
        return []


def _by_number(subject: str) -> tuple[int, str]:
    return (int(subject), "") if subject.isdecimal() else (0, subject)
