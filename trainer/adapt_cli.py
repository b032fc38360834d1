"""The command `gaitway adapt`."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from stream.artifact import SHIPPED
from trainer.adapt_options import Plan
from trainer.cli_errors import named_errors

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
        import_module("trainer.adapt").adapt(plan)
        typer.echo("\nPut this into config.toml and start the service anew:\n", err=True)
        typer.echo(import_module("trainer.adapt_report").settings(plan))
