"""Recipes and protocols side by side, as the tables of the card."""

import math
from collections.abc import Callable, Iterator, Sequence

from trainer.evaluation.results import Group, Result
from trainer.evaluation.scores import Accuracy
from trainer.evaluation.unknown import Other
from trainer.recordings import ACTIVITIES

Cell = Callable[[Group], str]

# Each column's title, and what it shows of a group.
SCORES: dict[str, Cell] = {
    "recordings": lambda group: group.score.group,
    "people": lambda group: str(len(group.score.known.by_subject)),
    "windows": lambda group: f"{group.score.known.windows:,}",
    "accuracy": lambda group: f"{group.score.accuracy:.3f}",
    "worst person": lambda group: named_worst(group.score.known.worst),
    "without partial": lambda group: _labelled(group.score.labelled),
    "macro-F1": lambda group: f"{group.score.macro_f1:.3f}",
    "stairs merged": lambda group: (
        f"{group.score.merged_accuracy:.3f} / {group.score.merged_macro_f1:.3f}"
    ),
    "calibration error": lambda group: f"{group.score.reliability.error:.3f}",
    "lost to Unknown": lambda group: percent(group.unknown.lost),
    "none of the six unsure": lambda group: percent(group.unknown.unsure),
}
STREAMS: dict[str, Cell] = {
    "recordings": lambda group: group.score.group,
    "hours": lambda group: f"{group.delays.hours:.1f}" if group.delays else "-",
    "changes": lambda group: f"{group.delays.changes:,}" if group.delays else "-",
    "confirmed": lambda group: percent(group.delays.confirmed if group.delays else None),
    "median delay, s": lambda group: number(group.delays.median_s if group.delays else None),
    "p90, s": lambda group: number(group.delays.p90_s if group.delays else None),
    "false an hour": lambda group: number(group.delays.false_per_hour if group.delays else None),
    "to Unknown an hour": lambda group: number(
        group.delays.unknown_per_hour if group.delays else None
    ),
}
WORST = 3  # people named below each other, of each result


def named(result: Result) -> str:
    """Name the recipe, and what is not as it should be."""
    notes = [f"{result.folds} of {result.of} folds"] if result.folds != result.of else []
    notes += ["older code"] if result.outdated else []
    return f"{result.recipe} ({', '.join(notes)})" if notes else result.recipe


def markdown(results: Sequence[Result], columns: dict[str, Cell]) -> Iterator[str]:
    """Yield a table with a row for each recipe, protocol and data set."""
    yield from head("protocol", "recipe", *columns)
    for result in results:
        for group in result.groups:
            yield row(result.protocol, named(result), *(cell(group) for cell in columns.values()))


def by_activity(results: Sequence[Result]) -> Iterator[str]:
    """Yield F1 by activity, and that of stairs where up and down are one."""
    yield from head("protocol", "recipe", "recordings", *ACTIVITIES, "Stairs, merged")
    for result in results:
        for group in result.groups:
            values = [group.score.f1.get(name) for name in ACTIVITIES]
            values.append(group.score.merged_f1.get("Stairs"))
            cells = ["-" if value is None else f"{value:.3f}" for value in values]
            yield row(result.protocol, named(result), group.score.group, *cells)


def people(results: Sequence[Result]) -> Iterator[str]:
    """Yield the people who fare worst with each recipe, over all data sets."""
    yield from head("protocol", "recipe", *(f"worst {at + 1}" for at in range(WORST)))
    for result in results:
        everyone = result.groups[-1].score.known.by_subject
        worst = sorted(everyone.items(), key=lambda item: item[1])[:WORST]
        cells = [named_worst(one) for one in worst] + ["-"] * (WORST - len(worst))
        yield row(result.protocol, named(result), *cells)


def others(results: Sequence[Result]) -> Iterator[str]:
    """Yield what every other word is taken for; each word once, in the widest group."""
    yield from head(
        *("protocol", "recipe", "word", "counts as", "windows", "Unknown", "unsure", "says")
    )
    for result in results:
        for other in result.groups[-1].unknown.others:
            yield row(result.protocol, named(result), *_other(other))


def made_up(results: Sequence[Result]) -> Iterator[str]:
    """Yield what every kind of made-up windows is taken for."""
    yield from head("protocol", "recipe", "kind", "windows", "Unknown", "unsure", "says")
    for result in results:
        for kind in result.made_up:
            word, _, *cells = _other(kind)
            yield row(result.protocol, named(result), word, *cells)


def head(*titles: str) -> Iterator[str]:
    """Yield the two lines that begin a table."""
    yield row(*titles)
    yield row(*["---"] * len(titles))


def row(*cells: str) -> str:
    """Return one line of a table."""
    return f"| {' | '.join(cells)} |"


def _labelled(accuracy: Accuracy) -> str:
    if not accuracy.windows:
        return "-"
    return f"{accuracy.share:.3f}, worst {named_worst(accuracy.worst)}"


def _other(other: Other) -> tuple[str, ...]:
    counts_as = f"{other.disguise} in disguise" if other.disguise else "none of the six"
    says = f"{other.says} {percent(other.says_share)}"
    shares = percent(other.unknown), percent(other.unsure)
    return other.word, counts_as, f"{other.windows:,}", *shares, says


def named_worst(one: tuple[str, float]) -> str:
    """Return a share and the person whose it is."""
    return f"{one[1]:.3f} ({one[0]})"


def percent(share: float | None) -> str:
    """Return a share in percent; - for none."""
    return "-" if share is None else f"{share:.1%}"


def number(value: float | None) -> str:
    """Return a number with one decimal; - for none, "never" for an infinite one."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.1f}" if math.isfinite(value) else "never"
