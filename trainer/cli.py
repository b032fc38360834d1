"""The commands of the trainer: `train`, `evaluate`, `evaluate-rates`, `adapt`, `bench`, `data get`.

TensorFlow is only looked for when a recipe runs, so that the other commands start at once.
"""

import datetime
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from trainer.bench.cli import bench
from trainer.cli_errors import named_errors
from trainer.cli_options import Data, Epochs, Jobs, Seed
from trainer.options import Options, Protocol
from trainer.personal import cli as adapt_cli
from trainer.rates import cli as rates_cli

app = typer.Typer(rich_markup_mode="rich")
data = typer.Typer(
    no_args_is_help=True, help="Recordings: get those that `train` and `replay` use."
)
app.add_typer(data, name="data")
app.add_typer(bench, name="bench")
app.add_typer(adapt_cli.app)
app.add_typer(rates_cli.app)


class Recipe(StrEnum):
    """Recipes by name; each has a module with `train(options)`."""

    WISDM_BILSTM = "wisdm-bilstm"
    POCKET = "pocket"


class DataSet(StrEnum):
    """Data sets that `data get` knows."""

    WISDM = "wisdm"
    WISDM_2019 = "wisdm-2019"
    MOTIONSENSE = "motionsense"


@app.command()
def train(
    recipe: Annotated[Recipe, typer.Option(help="What to train, and how.")] = Recipe.POCKET,
    path: Annotated[
        Path | None,
        typer.Option("--data", help="The recordings: a file, or the folder that holds them."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results. Default: runs/RECIPE-DATE.")
    ] = None,
    epochs: Epochs = None,
    seed: Seed = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="A trial on few windows, to see that it runs.")
    ] = False,
) -> None:
    """Train a model on recordings and export it as an artifact.

    The folder gets model.onnx and manifest.json, which the server takes, and
    plots, metrics.json and a model card.

    wisdm-bilstm is the classic tutorial on WISDM v1.1, an hour or two on the
    complete file. pocket is the network that ships, trained on every data
    set that is found, in a few minutes.

    Recordings are looked for in --data, then in the folder that GAITWAY_DATA
    names, then in the cache that `gaitway data get` fills.

    [dim]gaitway train --recipe wisdm-bilstm[/]
    [dim]gaitway train --recipe pocket --data ~/recordings --out my-model[/]
    [dim]gaitway serve --artifact my-model[/]
    """
    folder = out or Path("runs") / f"{recipe}-{datetime.datetime.now().astimezone().date()}"
    with named_errors():
        module = import_module(f"trainer.recipes.{recipe.replace('-', '_')}")
        module.train(Options(folder, path, epochs, seed, quick))
        typer.echo(folder)


@app.command()
def evaluate(
    protocol: Annotated[Protocol, typer.Option(help="Who is left out, and measured.")],
    recipe: Annotated[
        list[Recipe] | None, typer.Option(help="What to train; give several. Default: all.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for answers and results.")] = Path(
        "runs/evaluation"
    ),
    path: Data = None,
    groups: Annotated[
        int | None, typer.Option(min=2, help="With loso: leave out one of so many groups.")
    ] = None,
    epochs: Epochs = None,
    seed: Seed = 0,
    jobs: Jobs = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="A trial: two folds, few windows, one epoch.")
    ] = False,
) -> None:
    """Measure recipes on people that they were not trained on.

    [bold]loso[/] leaves one person out and trains on everyone else, person
    after person; --groups 6 leaves a sixth of the people out, for a quicker
    choice. [bold]lodo[/] leaves a whole data set out: another phone, other
    pockets. [bold]split[/] leaves the recipes' own test people out, once.

    Each fold's answers are kept in --out. The same command goes on where it
    was stopped, and trains again only what has changed: recipe, seed, epochs
    or recordings. Give another seed another --out, or it replaces the first.

    [dim]gaitway evaluate --protocol split --quick[/]
    [dim]gaitway evaluate --protocol loso --recipe pocket --jobs 2 --out runs/people[/]
    [dim]gaitway evaluate --protocol lodo --recipe pocket --recipe wisdm-bilstm[/]
    """
    names = tuple(str(name) for name in recipe or (Recipe.POCKET, Recipe.WISDM_BILSTM))
    with named_errors():
        module = import_module("trainer.evaluation.evaluate")
        plan = module.Plan(protocol, names, out, path, groups, seed, epochs, jobs, quick)
        typer.echo(module.evaluate(plan))


@data.command()
def get(
    name: Annotated[
        DataSet, typer.Argument(metavar="NAME", help="wisdm, wisdm-2019 or motionsense.")
    ],
    source: Annotated[
        Path | None, typer.Option("--from", help="A copy on this machine, packed or unpacked.")
    ] = None,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Take a part of WISDM v1.1, too.")
    ] = False,
) -> None:
    """Put a data set into the cache, ~/.cache/gaitway, where training looks for it.

    wisdm is downloaded from the WISDM lab and held against the checksum of the
    complete file. The others have no lasting address with a checksum: get them
    from their publishers, then --from.

    [dim]gaitway data get wisdm[/]
    [dim]gaitway data get wisdm --from ~/Downloads/WISDM_ar_latest.tar.gz[/]
    [dim]gaitway data get motionsense --from A_DeviceMotion_data.zip[/]
    """
    with named_errors():
        download = import_module("trainer.download")
        cache = import_module("trainer.recordings").cache_folder()
        typer.echo(download.get(name, source, cache, allow_partial))
