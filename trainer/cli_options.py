"""Options that several of the trainer's commands have, each said once."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path | None, typer.Option("--data", help="The folder that holds the recordings.")]
Epochs = Annotated[
    int | None, typer.Option(min=1, help="Passes over the data. Default: the recipe's.")
]
Seed = Annotated[int, typer.Option(min=0, help="Fixes everything that is random.")]
Jobs = Annotated[int, typer.Option(min=1, help="Folds at a time, one process each.")]
