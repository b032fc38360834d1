"""Who is on in the demo: people of the recordings that are found, or made-up walkers."""

import re
import tempfile
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile

from clients.people import as_track
from clients.track import Track, join
from clients.walker import walk
from trainer.recordings import FORMATS, DataError, Format, Recording, locate

# Of one activity, for each of the people who are taken from a data set.
SCENES_S, SHORTEST_S = (40.0, 55.0, 70.0), 20.0
SHOWN = ("Walking", "Sitting", "Jogging", "Standing", "Upstairs", "Downstairs")
SCRIPTS = {
    "anna": (("Sitting", 60), ("Walking", 80), ("Jogging", 60), ("Standing", 40)),
    "ben": (("Walking", 90), ("Standing", 50), ("Walking", 60), ("Sitting", 70)),
    "chloe": (("Jogging", 80), ("Walking", 60), ("Standing", 60), ("Jogging", 50)),
    "david": (("Standing", 50), ("Jogging", 70), ("Sitting", 60), ("Walking", 90)),
}
_FILE_OF_ONE = re.compile(r"^(?!__MACOSX).*(sub_\d+\.csv|phone/accel/data_\d+_accel_phone\.txt)$")


class Cast(NamedTuple):
    """The tracks to play, in words whose they are, and what one may want to know besides."""

    tracks: list[Track]
    what: str
    note: str = ""


def find_cast() -> Cast:
    """Take recordings in GAITWAY_DATA or the cache; what is damaged counts as missing."""
    found = {name: _people(form) for name, form in FORMATS.items()}
    tracks = [track for people in found.values() for track in people]
    if tracks:
        names = ", ".join(name for name, people in found.items() if people)
        return Cast(tracks, f"recordings of {len(tracks)} people ({names})")
    note = "no recordings were found: `gaitway data get wisdm` gets some of real people"
    return Cast(walkers(), f"{len(SCRIPTS)} made-up walkers", note)


def walkers() -> list[Track]:
    """Return the synthetic people, who need no recordings."""
    return [
        walk(name, script, rate_hz=50.0, seed=seed)
        for seed, (name, script) in enumerate(SCRIPTS.items())
    ]


def _people(form: Format) -> list[Track]:
    with tempfile.TemporaryDirectory(prefix="gaitway-") as scratch:
        try:
            path = _shortened(locate(form.files, None, form.get), Path(scratch))
            recordings = form.load(path)[0]
        except (DataError, BadZipFile, OSError):
            return []
    by_person: dict[str, list[Recording]] = {}
    for recording in recordings:
        by_person.setdefault(recording.subject, []).append(recording)
    chosen = list(by_person.values())[: len(SCENES_S)]
    return [track for turn, person in enumerate(chosen) if (track := _scenes(person, turn))]


def _shortened(path: Path, scratch: Path) -> Path:
    """Unpack a few people's files out of a zip archive: all of them would take seconds."""
    if path.suffix != ".zip":
        return path
    with ZipFile(path) as archive:
        files: dict[str, list[str]] = {}
        for name in filter(_FILE_OF_ONE.match, archive.namelist()):
            files.setdefault(Path(name).name, []).append(name)
        for names in list(files.values())[: len(SCENES_S)]:
            archive.extractall(scratch, names)
    return scratch


def _scenes(recordings: list[Recording], turn: int) -> Track | None:
    """Join the person's longest recording of each activity, shortened, beginning with another."""
    order = SHOWN[2 * turn :] + SHOWN[: 2 * turn]
    scenes = []
    for activity in order:
        takes = [as_track(r) for r in recordings if r.labels[0] == activity]
        longest = max(takes, key=lambda track: track.duration_s, default=None)
        if longest is not None and longest.duration_s >= SHORTEST_S:
            scenes.append(longest.first(SCENES_S[turn]))
    name = f"{recordings[0].dataset}-{recordings[0].subject}"
    return join(name, scenes, 1 / recordings[0].rate_hz) if scenes else None
