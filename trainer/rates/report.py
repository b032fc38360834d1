"""What `gaitway evaluate-rates` found: a table, `metrics.json`, and a plot."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from trainer import plots
from trainer.rates.agreement import REQUIRED, Agreement

LEGEND = (
    "Shares of the windows that are predicted as in the stream they are held against; worst: the "
    "person with the lowest. others: words that are none of the six. all at once: jittered by "
    f"20 %, rounded to 0.1 m/s², cut into frames of 0.1 to 5 s. Below {REQUIRED}: bold."
)


class Origin(NamedTuple):
    """What was measured: the model, the seconds of each recording, and what draws the jitter."""

    model: str
    seconds: float
    seed: int


def write(folder: Path, origin: Origin, found: Sequence[Agreement]) -> Path:
    """Write `metrics.json` and a plot for each stream held against; return the first."""
    folder.mkdir(parents=True, exist_ok=True)
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    for one in found:
        of_group = figures.setdefault(one.against, {}).setdefault(one.group, {})
        of_group[one.variant] = _figures(one)
    path = folder / "metrics.json"
    text = json.dumps(origin._asdict() | {"against": figures}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    for against, those in by_stream(found).items():
        title = f"Windows predicted as in the stream {against}, {origin.model}"
        plots.kept(folder / f"kept_{against.replace(' ', '_')}.png", title, those)
    return path


def tables(model: str, found: Sequence[Agreement]) -> RenderableType:
    """Return a table for each stream that others are held against, and how to read them."""
    made = [
        _table(f"\n{model}, against the stream {against}", those)
        for against, those in by_stream(found).items()
    ]
    return Stack(*made, Text(f"\n{LEGEND}", style="dim"))


def by_stream(found: Sequence[Agreement]) -> dict[str, list[Agreement]]:
    """Return the figures by the stream that others are held against."""
    streams = dict.fromkeys(one.against for one in found)
    return {against: [one for one in found if one.against == against] for against in streams}


def _table(title: str, found: Sequence[Agreement]) -> Table:
    """Return a row a variant, and for each data set what is kept, on average and at worst."""
    made = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    made.add_column("stream", no_wrap=True)
    for one in _of(found, found[0].variant):
        made.add_column("others" if one.of_others else one.dataset, justify="right", no_wrap=True)
        if not one.of_others:
            made.add_column("worst", justify="right", no_wrap=True)
    for variant in dict.fromkeys(one.variant for one in found):
        made.add_row(variant, *(cell for one in _of(found, variant) for cell in _cells(one)))
    return made


def _of(found: Sequence[Agreement], variant: str) -> list[Agreement]:
    return [one for one in found if one.variant == variant]


def _cells(one: Agreement) -> list[Text]:
    person, worst = one.worst
    shares = [_share(one.kept, "")]
    return shares if one.of_others else [*shares, _share(worst, f" ({person})")]


def _share(share: float, whose: str) -> Text:
    return Text(f"{share:.3f}{whose}", style="bold" if share < REQUIRED else "")


def _figures(one: Agreement) -> dict[str, Any]:
    figures = asdict(one)
    for name in ("against", "variant", "dataset", "of_others"):
        del figures[name]
    for name in ("kept", "unsure", "difference"):
        figures[name] = None if figures[name] is None else round(figures[name], 4)
    for name in ("by_person", "by_word"):
        figures[name] = {key: round(share, 4) for key, share in figures[name].items()}
    return figures
