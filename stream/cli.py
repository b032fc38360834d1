"""The `gaitway` command. Commands of other packages join by the entry point `gaitway.commands`."""

import asyncio
import gc
import logging
import signal
import sys
from importlib.metadata import entry_points
from typing import Annotated

import typer

from stream import __version__, config, logs, options, token_cli
from stream.errors import GaitwayError
from stream.model.artifact import SHIPPED

app = typer.Typer(
    name="gaitway",
    help="A real-time streaming classifier for phone sensors: accelerometer in, activities out.",
    epilog="Start here:  gaitway demo   Then:  gaitway serve   and   gaitway watch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(token_cli.app, name="token")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gaitway {__version__}")
        raise typer.Exit


@app.callback()
def common(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print it."),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
def serve(
    config_path: options.ConfigFile = None,
    host: options.Host = None,
    port: options.Port = None,
    https: options.Https = False,
    cert: options.Cert = None,
    key: options.Key = None,
    mqtt: options.Mqtt = None,
    dial: options.Dial = None,
    artifact: options.Artifact = None,
    record: options.Record = None,
    journal: options.Journal = None,
    insecure: options.Insecure = False,
    verbose: options.Verbose = False,
) -> None:
    """Start the service: phones stream in, activities come out.

    Phones connect to ws://ADDRESS:PORT/v1/stream?device=NAME, listeners to
    /v1/events; it says where. Without options and settings it listens on this
    machine only, at port 8765, and asks for tokens once there are some
    (`gaitway token`). Options win over settings. The broker's password is taken
    from GAITWAY_MQTT_PASSWORD.

    Browsers give a phone's motion to https pages only: --https makes, once, a
    certificate authority in ~/.local/share/gaitway and a first token, and
    prints a code for phones to scan. Others need both, or your --insecure.

    [dim]gaitway serve[/]
    [dim]gaitway serve --https[/]
    [dim]gaitway serve --mqtt mqtt://homeassistant.local[/]
    """
    logs.set_up(logging.INFO if verbose else logging.WARNING)
    said = {
        "server.host": host,
        "server.port": port,
        "server.https": https or None,
        "server.cert": cert,
        "server.key": key,
        "mqtt.url": mqtt,
        "model.artifact": artifact,
        "record.folder": record,
        "journal.path": journal,
        "auth.insecure": insecure or None,
    }
    settings = options.settings(config_path, said, dial or [])
    # Imported here so that every other command starts without the server's libraries.
    import uvloop  # noqa: PLC0415

    uvloop.run(_serve(settings))


async def _serve(settings: config.Config) -> None:
    # A connection that ends leaves a hundred objects that hold each other: collecting them by the
    # fifty thousand holds up every phone for 80 ms, by the thousand for 5. A full collection among
    # thousands of sessions takes half a second, and what the imports left is never garbage: seldom.
    gc.set_threshold(1_000, 5, 20_000)
    from stream import service, terminal  # noqa: PLC0415  as above

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with service.running(settings) as running:
        for line in terminal.greeting(settings, running, color=sys.stdout.isatty()):
            typer.echo(line)
        await stopped.wait()
        typer.echo("stopping")


@app.command()
def artifact() -> None:
    """Print the folder of the model that ships.

    It holds model.onnx, manifest.json and MODEL_CARD.md.
    """
    typer.echo(SHIPPED)


def main() -> None:
    """Run the command line; what Gaitway raises on purpose is one line, and exit code 2 or 1."""
    for entry in entry_points(group="gaitway.commands"):
        app.add_typer(entry.load())
    try:
        app()
    except GaitwayError as error:
        typer.echo(f"gaitway: error: {error}", err=True)
        sys.exit(error.exit_code)
