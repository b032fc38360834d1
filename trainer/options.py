"""What a recipe is told on the command line, as one small object."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """`data` and `epochs` are None where the recipe is to use its own; `quick` is for trials."""

    out: Path
    data: Path | None = None
    epochs: int | None = None
    seed: int = 0
    quick: bool = False
