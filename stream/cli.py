"""The `gaitway` command. Commands of other packages join by the entry point `gaitway.commands`."""

import asyncio
import gc
import logging
import signal
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from stream import __version__, config
from stream.artifact import SHIPPED
from stream.errors import ConfigError, GaitwayError

app = typer.Typer(
    name="gaitway",
    help="A real-time streaming classifier for phone sensors: accelerometer in, activities out.",
    epilog="Start here:  gaitway demo   Then:  gaitway serve   and   gaitway watch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


Dials = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=ADDRESS",
        help="A phone that waits for a call: ws://… runs SensorServer, http://… phyphox.",
    ),
]


@app.command()
def serve(
    config_path: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Settings. Default: ./config.toml, if any."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Where to listen; 0.0.0.0 lets other machines in."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="PORT", help="0 lets the system choose."),
    ] = None,
    mqtt: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A broker to join, as mqtt://user@host:1883."),
    ] = None,
    dial: Dials = None,
    artifact: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The model: a folder that `gaitway train` wrote."),
    ] = None,
    journal: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where frames are kept; '' means nowhere.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Start the service: phones stream in, activities come out.

    Phones connect to ws://ADDRESS:PORT/v1/stream?device=NAME, listeners to
    /v1/events; it says where. Without options and settings it listens on this
    machine only, at port 8765. Options win over settings. The broker's
    password is taken from GAITWAY_MQTT_PASSWORD.

    [dim]gaitway serve[/]
    [dim]gaitway serve --host 0.0.0.0 --mqtt mqtt://homeassistant.local[/]
    [dim]gaitway serve --dial pixel-7=ws://192.168.1.20:8080[/]
    """
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("stamina").setLevel(logging.ERROR)  # what it retries is logged where it fails
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log each question to a phone
    settings = _settings(config_path, host, port, mqtt, artifact, dial or [], journal)
    # What the imports left is never garbage, and a full collection among thousands of sessions
    # holds up every phone: collect seldom.
    gc.set_threshold(50_000, 20, 100)
    # Imported here so that every other command starts without the server's libraries.
    import uvloop  # noqa: PLC0415

    uvloop.run(_serve(settings))


def _settings(
    path: Path | None,
    host: str | None,
    port: int | None,
    mqtt: str | None,
    artifact: Path | None,
    dial: list[str],
    journal: str | None = None,
) -> config.Config:
    default = Path("config.toml")
    if path is None and default.is_file():
        path = default
    settings = config.load(path) if path else config.Config()
    changes: dict[str, dict[str, object]] = {
        "server": {"host": host, "port": port},
        "mqtt": {"url": mqtt},
        "journal": {"path": journal},
        "model": {"artifact": None if artifact is None else str(artifact)},
    }
    raw = msgspec.to_builtins(settings)
    for section, values in changes.items():
        raw[section].update({key: value for key, value in values.items() if value is not None})
    for call in dial:
        name, given, url = call.partition("=")
        if not (given and url):
            raise ConfigError(f"--dial {call!r}: NAME=ADDRESS is needed, as in pixel-7=ws://…")
        raw["devices"].setdefault(name, {}).update(app="", url=url)  # the address says which app
    return config.check(raw, str(path) if path else "command line")


async def _serve(settings: config.Config) -> None:
    from stream import service, web  # noqa: PLC0415  as above

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with service.running(settings) as running:
        typer.echo(f"gaitway {__version__}, model {running.hub.models.shared.name}")
        for device, model in running.hub.models.personal.items():
            typer.echo(f"  for {device} alone, model {model.name}")
        typer.echo(f"  phones     {running.ws_url}/v1/stream?device=NAME")
        typer.echo(f"  listeners  {running.ws_url}/v1/events")
        typer.echo(f"  http       {running.http_url}/v1/devices")
        typer.echo(f"  browser    {running.http_url}/ and, for a phone, /phone")
        if settings.server.host in {"0.0.0.0", "::"}:  # noqa: S104  compared, not bound
            typer.echo(f"  elsewhere  the same at {web.own_address()}:{running.port}")
        where = settings.journal.path or "none: a stop forgets sessions and history"
        typer.echo(f"  journal    {where}")
        if settings.mqtt.url:
            typer.echo(f"  mqtt       {settings.mqtt.base}/NAME/samples")
        for device, options in settings.devices.items():
            if options.url:
                typer.echo(f"  dialled    {device} at {options.url}")
        await stopped.wait()
        typer.echo("stopping")


@app.command()
def artifact() -> None:
    """Print the folder of the model that ships.

    It holds model.onnx, manifest.json and MODEL_CARD.md.
    """
    typer.echo(SHIPPED)


def main() -> None:
    """Run the command line; what Gaitway raises on purpose is one line and exit code 2."""
    for entry in entry_points(group="gaitway.commands"):
        app.add_typer(entry.load())
    try:
        app()
    except GaitwayError as error:
        typer.echo(f"gaitway: error: {error}", err=True)
        sys.exit(2)
