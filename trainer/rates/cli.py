"""The command `gaitway evaluate-rates`."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from stream.model.artifact import SHIPPED
from trainer.cli_errors import named_errors
from trainer.cli_options import Data, Seed

app = typer.Typer(rich_markup_mode="rich")


@app.command()
def evaluate_rates(
    artifact: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="What to measure. Default: the model that ships."),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for metrics.json and plots.")
    ] = Path("runs/rates"),
    path: Data = None,
    seconds: Annotated[
        float, typer.Option(min=11, help="To read of each recording, at most.")
    ] = 120.0,
    seed: Seed = 0,
    jobs: Annotated[int, typer.Option(min=1, help="People at a time, one process each.")] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="A trial: two people of each data set, 20 s.")
    ] = False,
) -> None:
    """Measure whether predictions stay the same when a movement arrives another way.

    The recordings of MotionSense and WISDM 2019 are sent again as phones of
    20 to 200 Hz would: with jitter, rounded, in frames of 0.1 to 5 s, and all
    of that at once. Every window is then compared with what the model says of
    it in the stream that was recorded, and in one of exactly 20 Hz. None of
    them has to be right.

    [dim]gaitway evaluate-rates[/]
    [dim]gaitway evaluate-rates --artifact my-model --jobs 2[/]
    """
    with named_errors():
        module = import_module("trainer.rates.run")
        plan = module.Plan(artifact or SHIPPED, out, path, seconds, seed, jobs, quick)
        typer.echo(module.evaluate(plan))
