"""The commands `gaitway bench …`: how fast things are on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from stream.model.artifact import SHIPPED

BATCHES = (1, 64)

bench = typer.Typer(no_args_is_help=True, help="Speed: how fast things are on this machine.")


@bench.command()
def model(
    artifact: Annotated[
        Path | None,
        typer.Option(help="Folder of the model to time. Default: the model that ships."),
    ] = None,
    batch: Annotated[
        list[int] | None,
        typer.Option(min=1, max=4096, help="Windows in a batch; repeat for more. Default: 1, 64."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each has a turn.")] = 21,
    threads: Annotated[int, typer.Option(min=1, help="Threads that each may use.")] = 1,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Write the figures here, as JSON.")
    ] = None,
) -> None:
    """Time models side by side: the one that ships, and the classic BiLSTM in three runtimes.

    Everyone has a turn in each round, so that a minute in which the machine
    is busy slows them all. The table has the medians over the rounds; ratio
    is to the classic network in ONNX Runtime.

    The classic network has random weights, which cost as much as trained
    ones. It needs TensorFlow; without it only the artifact is timed.

    [dim]gaitway bench model[/]
    [dim]gaitway bench model --artifact my-model --batch 256 --json speed.json[/]
    """
    # Imported here so that every other command starts without the inference runtime.
    from rich.console import Console  # noqa: PLC0415

    from trainer.bench.report import save  # noqa: PLC0415
    from trainer.bench.run import Bench, run  # noqa: PLC0415
    from trainer.bench.view import bar, show  # noqa: PLC0415
    from trainer.progress import say  # noqa: PLC0415

    batches = tuple(dict.fromkeys(batch or BATCHES))
    with bar() as watcher:
        report = run(Bench(artifact or SHIPPED, batches, rounds, threads), watcher, say)
    show(report, Console(highlight=False))
    if json_path is not None:
        save(report, json_path)
