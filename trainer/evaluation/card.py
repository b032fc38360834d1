"""Writes what an evaluation found: `metrics.json`, the plots, and a card that nobody types."""

import datetime
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stream import __version__
from trainer import plots
from trainer.evaluation import comparison
from trainer.evaluation.delays import TOLERANCE_S, Delays
from trainer.evaluation.reliability import BINS
from trainer.evaluation.results import Group, Result
from trainer.evaluation.unknown import MIN_CONFIDENCE, UNSURE, Unknown
from trainer.labels import DISGUISES, NONE_OF_THE_SIX
from trainer.recordings import ACTIVITIES

PROTOCOLS = """\
- `loso`: each person is left out once, and the model trained on everyone else; `loso-6` leaves a \
sixth of the people out at a time.
- `lodo`: each data set is left out whole: other phones, other pockets, other people.
- `split`: the test people of `trainer/people.py` are left out, once.

No person is on both sides of a fold; the people who measure what ships are on neither."""
FIGURES = f"""\
- *accuracy*: every window of the six; a partial label (stairs) is right with up or down.
- *without partial*: accuracy, and the worst person, on windows with a single label alone.
- *macro-F1*, *calibration error*: windows with a single label. F1 counts the activities present.
- *stairs merged*: accuracy / macro-F1 with up and down as one activity, partial labels included.
- *calibration error*: expected, {BINS} bins of equal width (Guo and others 2017).
- *lost to Unknown*: of the six, windows below {MIN_CONFIDENCE} confidence, the server's default.
- *none of the six unsure*: windows of {", ".join(sorted(NONE_OF_THE_SIX))} that are `Unknown` or \
below {UNSURE} confidence."""
STREAMS = f"""\
Each person's recordings, cut to 20 to 120 s and joined end to end, go through the server's own \
session. A change is confirmed by the first activity event in its segment that is right; the delay \
ends with the window that confirmed it, and never where nothing did. Changes to what was confirmed \
before are left out. False: an event whose activity was not true within {TOLERANCE_S:g} s of the \
time it is dated to, or `Unknown` farther than that from a change."""
OTHERS = f"""\
A trouser pocket cannot tell these from the activity that they are in disguise: \
{", ".join(f"{word} ({activity})" for word, activity in DISGUISES.items())}. \
{", ".join(sorted(NONE_OF_THE_SIX))} are movements that none of the six explains."""

MADE_UP = """\
Windows of phones whose owner does none of the six, made up by `trainer/evaluation/made_up.py`, \
which no recipe trains on. Every fold's model is asked about the same ones."""


def write(folder: Path, results: Sequence[Result]) -> None:
    """Write `metrics.json` and `MODEL_CARD.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(metrics(results), indent=2, allow_nan=False) + "\n"
    (folder / "metrics.json").write_text(text, encoding="utf-8")
    card = "\n".join(_card(results)) + "\n"
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")


def draw(folder: Path, result: Result) -> None:
    """Draw each group's confusions and reliability, beside the answers in `folder`."""
    place = folder / result.protocol / result.recipe
    for group in result.groups:
        name = group.score.group
        title = f"{result.recipe}, {result.protocol}, {name}"
        plots.confusion(place / f"confusion_{name}.png", title, group.score, ACTIVITIES)
        plots.reliability(place / f"reliability_{name}.png", title, group.score.reliability)


def metrics(results: Sequence[Result]) -> dict[str, Any]:
    """Return every figure, by protocol, recipe and group of recordings."""
    found: dict[str, Any] = {}
    for result in results:
        found.setdefault(result.protocol, {})[result.recipe] = {
            "folds": result.folds,
            "folds_of_protocol": result.of,
            "seed": result.seed,
            "epochs": result.epochs,
            "outdated": result.outdated,
            "made_up": [_all_rounded(asdict(kind)) for kind in result.made_up],
            "groups": {group.score.group: _figures(group) for group in result.groups},
        }
    return found


def _figures(group: Group) -> dict[str, Any]:
    score = group.score
    return {
        "windows": score.known.windows,
        "accuracy": _rounded(score.accuracy),
        "accuracy_by_person": _each(score.known.by_subject),
        "labelled_windows": score.labelled.windows,
        "labelled_accuracy": _rounded(score.labelled.share),
        "labelled_accuracy_by_person": _each(score.labelled.by_subject),
        "macro_f1": _rounded(score.macro_f1),
        "f1": _each(score.f1),
        "merged_accuracy": _rounded(score.merged_accuracy),
        "merged_macro_f1": _rounded(score.merged_macro_f1),
        "merged_f1": _each(score.merged_f1),
        "calibration_error": _rounded(score.reliability.error),
        "confusion": score.confusion.tolist(),
        "unknown": _unknown(group.unknown),
        "streams": _heard(group.delays) if group.delays else None,
    }


def _unknown(unknown: Unknown) -> dict[str, Any]:
    figures = asdict(unknown)
    others = [_all_rounded(other) for other in figures.pop("others")]
    return _all_rounded(figures) | {"others": others}


def _heard(delays: Delays) -> dict[str, float | int | None]:
    return {
        "hours": _rounded(delays.hours),
        "changes": delays.changes,
        "already_confirmed": delays.already,
        "confirmed": _rounded(delays.confirmed),
        "median_delay_s": _rounded(delays.median_s),
        "p90_delay_s": _rounded(delays.p90_s),
        "false_per_hour": _rounded(delays.false_per_hour),
        "unknown_per_hour": _rounded(delays.unknown_per_hour),
    }


def _all_rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _rounded(value) if isinstance(value, float) else value
        for name, value in figures.items()
    }


def _each(values: dict[str, float]) -> dict[str, float | None]:
    return {name: _rounded(value) for name, value in values.items()}


def _rounded(value: float) -> float | None:
    """Return four decimals; JSON has neither NaN nor infinity, so these are None."""
    return round(value, 4) if math.isfinite(value) else None


def _card(results: Sequence[Result]) -> Iterator[str]:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    yield "# Evaluation"
    yield f"\nGenerated by `gaitway evaluate` on {today}; Gaitway {__version__}.\n"
    yield PROTOCOLS
    yield "\n## Windows\n"
    yield FIGURES + "\n"
    yield from comparison.markdown(results, comparison.SCORES)
    yield "\n### Who fares worst\n"
    yield from comparison.people(results)
    yield "\n### F1 by activity\n"
    yield from comparison.by_activity(results)
    yield "\n## Streams\n"
    yield STREAMS + "\n"
    yield from comparison.markdown(results, comparison.STREAMS)
    yield "\n## What is none of the six\n"
    yield OTHERS + "\n"
    yield from comparison.others(results)
    yield "\n## What nobody recorded\n"
    yield MADE_UP + "\n"
    yield from comparison.made_up(results)
    yield "\n## Seeds\n"
    for result in results:
        epochs = "its own" if result.epochs is None else str(result.epochs)
        name = f"{result.protocol}, {comparison.named(result)}"
        yield f"- {name}: seed {result.seed}, epochs: {epochs}."
