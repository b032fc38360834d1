"""The pictures of a training run, as PNG files. Nothing here decides or measures anything."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from trainer.evaluation.reliability import BINS, Reliability
from trainer.evaluation.scores import Score
from trainer.rates.agreement import REQUIRED, Agreement

BLUE, AXES = "#2f6690", ("#2f6690", "#d1495b", "#66a182")
Panels = list[Axes]


def counts(path: Path, title: str, names: Sequence[str], how_many: Sequence[int]) -> None:
    """Draw one horizontal bar a name, in the given order, with its count beside it."""
    figure, (axes,) = _figure(8.0, 1.0 + 0.32 * len(names))
    bars = axes.barh(list(names), list(how_many), color=BLUE)
    axes.bar_label(bars, [f"{count:,}" for count in how_many], padding=4)
    axes.set_ylim(len(names) - 0.4, -0.6)  # the first on top
    axes.margins(x=0.12)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    _title(axes, title)
    figure.savefig(path)


def samples(path: Path, by_activity: Mapping[str, NDArray[np.float32]]) -> None:
    """Draw the three axes, record by record, for one span (n, 3) of each activity."""
    figure, panels = _figure(9.0, 0.8 + 1.7 * len(by_activity), rows=len(by_activity))
    for axes, (activity, xyz) in zip(panels, by_activity.items(), strict=True):
        for axis, color in enumerate(AXES):
            axes.plot(xyz[:, axis], color=color, label="xyz"[axis])
        _title(axes, activity)
        axes.grid(alpha=0.3)
        axes.set_ylabel("m/s²")
    panels[0].legend(ncols=3, loc="lower right", bbox_to_anchor=(1.0, 1.0), frameon=False)
    panels[-1].set_xlabel("records, in the order of the file")
    figure.savefig(path)


def history(path: Path, title: str, values: Mapping[str, Sequence[float]]) -> None:
    """Draw loss and accuracy by epoch; names with `val_` are drawn dashed, as validation."""
    figure, panels = _figure(9.0, 3.6, columns=2)
    for axes, what in zip(panels, ("loss", "accuracy"), strict=True):
        for name, label, line in ((what, "training", "-"), (f"val_{what}", "validation", "--")):
            series = values.get(name, ())
            if series:
                axes.plot(range(1, len(series) + 1), series, line, marker=".", label=label)
        _title(axes, what.capitalize())
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    panels[1].set_ylim(top=1.02)  # so that a line at 1 is seen
    figure.suptitle(title)
    figure.savefig(path)


def confusion(path: Path, title: str, score: Score, names: Sequence[str]) -> None:
    """Draw windows by label (rows) and prediction (columns), coloured by the row's share."""
    table = score.confusion
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure, (axes,) = _figure(7.0, 6.0)
    axes.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    for row, column in np.ndindex(table.shape):
        color = "white" if share[row, column] > 0.5 else "black"
        text = f"{table[row, column]:,}" if table[row, column] else "·"
        axes.text(column, row, text, ha="center", va="center", color=color)
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("prediction")
    axes.set_ylabel("label")
    _title(axes, f"{title}\naccuracy {score.accuracy:.3f}, macro-F1 {score.macro_f1:.3f}")
    figure.savefig(path)


def reliability(path: Path, title: str, found: Reliability) -> None:
    """Draw accuracy by confidence, a bar a bin that holds windows; on the line they agree."""
    figure, (axes, share) = _figure(9.0, 4.2, columns=2)
    middle = (np.arange(BINS) + 0.5) / BINS
    filled = found.windows > 0
    axes.bar(middle[filled], found.accuracy[filled], 0.9 / BINS, color=BLUE)
    axes.plot([0, 1], [0, 1], "--", color="black", linewidth=1.0)
    axes.set_ylabel("accuracy")
    share.bar(middle, found.windows / max(int(found.windows.sum()), 1), 0.9 / BINS, color=BLUE)
    share.set_ylabel("share of the windows")
    for panel in (axes, share):
        panel.set_xlim(0, 1)
        panel.set_ylim(0, 1.02)
        panel.set_xlabel("highest probability")
    _title(axes, f"{title}\ncalibration error {found.error:.3f}")
    figure.savefig(path)


def kept(path: Path, title: str, found: Sequence[Agreement]) -> None:
    """Draw, by variant, the share of windows kept (a dot) down to the worst person's (a line)."""
    groups = dict.fromkeys(one.group for one in found)
    variants = list(dict.fromkeys(one.variant for one in found))
    figure, panels = _figure(9.0, 1.2 + 0.24 * len(variants), columns=len(groups))
    for axes, group in zip(panels, groups, strict=True):
        of_group = [one for one in found if one.group == group]
        rows = [variants.index(one.variant) for one in of_group]
        axes.hlines(rows, [one.worst[1] for one in of_group], [one.kept for one in of_group], BLUE)
        axes.plot([one.kept for one in of_group], rows, "o", color=BLUE)
        axes.axvline(REQUIRED, linestyle="--", color="black", linewidth=1.0)
        axes.set_yticks(range(len(variants)), variants if axes is panels[0] else [""] * len(rows))
        axes.invert_yaxis()
        _title(axes, group)
    figure.suptitle(title)
    figure.savefig(path)


def _figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, Panels]:
    # A Figure of its own, not pyplot's: no window system, and nothing global to close.
    figure = Figure(figsize=(width, height), layout="constrained", dpi=120)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=rows > 1, sharey=rows > 1)
    for axes in panels.flat:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, list(panels.flat)


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontweight="bold")
