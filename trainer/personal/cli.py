"""The commands `gaitway adapt` and `gaitway evaluate-adapt`."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from stream.model.artifact import SHIPPED
from trainer.cli_errors import named_errors
from trainer.cli_options import Data, Epochs, Jobs, Seed
from trainer.personal.options import Plan

app = typer.Typer(rich_markup_mode="rich")


@app.command()
def adapt(
    device: Annotated[str, typer.Option(metavar="ID", help="Whose model it will be.")],
    recordings: Annotated[
        Path, typer.Option(metavar="DIR", help="Labelled recordings of one person.")
    ],
    artifact: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="What to adapt. Default: the model that ships."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Default: personal/ID.")] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Whose recordings, if DIR has several people's."),
    ] = None,
    windows: Annotated[
        int | None, typer.Option(min=5, help="At most so many of each activity. Default: all.")
    ] = None,
) -> None:
    """Fit the model to one person, and give it to their device.

    Record half a minute of each activity, better twice, the phone taken out in
    between: that is ten windows an activity, and lifts those whom the model
    knows worst. docs/recordings.md says how recordings and labels may look.

    Only the last layer is fitted, in seconds. What comes out is an artifact
    like any other; this prints the lines that give it to the device in
    config.toml. An activity that was not recorded keeps its weights.

    [dim]gaitway adapt --device pixel-7 --recordings my-recordings[/]
    [dim]gaitway adapt --device pixel-7 --recordings ours --subject anna --out anna[/]
    """
    plan = Plan(device, recordings, artifact or SHIPPED, out, tuple(subject or ()), windows)
    with named_errors():
        import_module("trainer.personal.adapt").adapt(plan)
        typer.echo("\nPut this into config.toml and start the service anew:\n", err=True)
        typer.echo(import_module("trainer.personal.report").settings(plan))


@app.command()
def evaluate_adapt(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for fold models and results.")
    ] = Path("runs/evaluation"),
    path: Data = None,
    groups: Annotated[
        int | None, typer.Option(min=2, help="Leave out one of so many groups of people.")
    ] = None,
    windows: Annotated[int, typer.Option(min=2, help="To adapt to, of each activity.")] = 10,
    pull: Annotated[
        list[float] | None,
        typer.Option(min=0, help="How strongly weights are held; several are compared."),
    ] = None,
    epochs: Epochs = None,
    seed: Seed = 0,
    jobs: Jobs = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="A trial: two folds of four people, one epoch.")
    ] = False,
) -> None:
    """Measure what `adapt` does for people that a model has never seen.

    Each person is left out of a model, or, quicker, each of --groups of people;
    the model is then adapted to a few windows of theirs, and scored before and
    after: on other recordings of an activity, or, where a person has none, on
    what shares no sample with these windows. Models are kept in --out and
    trained only where they are missing.

    [dim]gaitway evaluate-adapt --groups 4 --jobs 2[/]
    [dim]gaitway evaluate-adapt --groups 4 --windows 5 --pull 1 --pull 5 --pull 30[/]
    """
    with named_errors():
        module = import_module("trainer.personal.evaluate")
        pulls = tuple(pull) if pull else (module.PULL,)
        typer.echo(
            module.evaluate(
                module.Settings(out, path, groups, windows, pulls, seed, epochs, jobs, quick)
            )
        )
