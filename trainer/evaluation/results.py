"""Everything that is known about each recipe and protocol, out of the answers in a folder."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer.evaluation import made_up as made_up_windows
from trainer.evaluation.answers import Answers, Stored, load
from trainer.evaluation.cross import code_of
from trainer.evaluation.delays import Delays, delays, heard, together
from trainer.evaluation.folds import folds
from trainer.evaluation.material import Material
from trainer.evaluation.scores import Score, by_group, score
from trainer.evaluation.unknown import Other, Unknown, made_up, unknown
from trainer.options import Protocol
from trainer.progress import say
from trainer.recipes import RECIPES

PROTOCOL = re.compile(rf"({'|'.join(Protocol)})(?:-(\d+))?")  # as in loso, loso-6


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A data set's figures, or those of all; `delays` is None where nobody has a stream."""

    score: Score
    unknown: Unknown
    delays: Delays | None


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One recipe by one protocol: `folds` of `of` are there; `outdated` if its code has changed.

    `made_up` has what every fold's model says of the made-up windows, kind by kind; it is empty
    where a fold was asked before there were these.
    """

    protocol: str
    recipe: str
    folds: int
    of: int
    seed: int
    epochs: int | None
    outdated: bool
    groups: tuple[Group, ...]
    made_up: tuple[Other, ...]


def results(folder: Path, material: Material) -> Iterator[Result]:
    """Yield what is in `folder`/PROTOCOL/RECIPE and was made of these very recordings.

    Folds of one recipe that were trained in different ways don't count as one result: the
    recipe is left out, and a line says so.
    """
    for place in sorted(folder.glob("*/*/")):
        if PROTOCOL.fullmatch(place.parent.name):
            yield from _result(place, material)


def _result(place: Path, material: Material) -> Iterator[Result]:
    stored = [one for path in sorted(place.glob("*.npz")) if (one := load(path))]
    made = [json.loads(one.fingerprint) for one in stored]
    name = f"{place.parent.name} {place.name}"
    if any(one["recordings"] != material.checksum for one in made):
        say(f"{name}: was measured on other recordings, so it is not in the table")
        return
    ways = {(one["seed"], one["epochs"], one["code"]) for one in made}
    if len(ways) > 1:
        say(f"{name}: folds differ in seed, epochs or code; the same command once more mends it")
    if len(ways) != 1:
        return
    ((seed, epochs, code),) = ways
    known = RECIPES.get(place.name)
    yield Result(
        protocol=place.parent.name,
        recipe=place.name,
        folds=len(stored),
        of=count_of(place.parent.name, material),
        seed=seed,
        epochs=epochs,
        outdated=known is not None and code != code_of(known),
        groups=tuple(groups(stored, material)),
        made_up=invented(stored),
    )


def invented(stored: list[Stored]) -> tuple[Other, ...]:
    """Return the figures of the made-up windows; none unless all folds know the present ones."""
    if any(one.made_up_as != made_up_windows.checksum() for one in stored):
        return ()
    return made_up(Answers.joined([one.made_up for one in stored]))


def count_of(protocol: str, material: Material) -> int:
    """Return how many folds the protocol with this folder name has."""
    found = PROTOCOL.fullmatch(protocol)
    if not found:
        raise ValueError(f"{protocol}: is no protocol")
    count = int(found[2]) if found[2] else None
    return len(folds(material.everyone, Protocol(found[1]), count))


def groups(stored: list[Stored], material: Material) -> Iterator[Group]:
    """Yield the figures for each data set, and for all if there are several."""
    windows = Answers.joined([one.windows for one in stored])
    found = list(stream_delays(Answers.joined([one.streams for one in stored]), material))
    for name, part in by_group(windows):
        if len(part.known()):
            of_group = [one for dataset, one in found if name in (dataset, "all")]
            heard_of = together(of_group) if of_group else None
            yield Group(score(name, part), unknown(part), heard_of)


def stream_delays(answers: Answers, material: Material) -> Iterator[tuple[str, Delays]]:
    """Yield data set and figures of each person's stream that was answered."""
    persons = answers.persons
    for stream in material.streams:
        mine = answers.probabilities[persons == f"{stream.dataset}/{stream.subject}"]
        if len(mine):
            yield stream.dataset, delays(stream.segments, heard(stream, mine))
