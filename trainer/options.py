"""What the trainer is told on the command line, as small objects."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Protocol(StrEnum):
    """How an evaluation divides the people."""

    LOSO = "loso"  # leave one subject out, or one group of subjects
    LODO = "lodo"  # leave one data set out
    SPLIT = "split"  # leave the people of `people.TEST` out

    def named(self, groups: int | None) -> str:
        """Return what titles and folders call it, as in `loso` and `loso-6`."""
        return f"{self}-{groups}" if groups else str(self)


@dataclass(frozen=True, slots=True)
class Options:
    """`data` and `epochs` are None where the recipe is to use its own; `quick` is for trials."""

    out: Path
    data: Path | None = None
    epochs: int | None = None
    seed: int = 0
    quick: bool = False

    def command(self, recipe: str) -> str:
        """Return the command that gives the same again, but for where things are."""
        words = ["gaitway train --recipe", recipe]
        words += [] if self.epochs is None else [f"--epochs {self.epochs}"]
        words += [f"--seed {self.seed}"] if self.seed else []
        return " ".join(words + ["--quick"] * self.quick)
