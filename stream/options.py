"""The options of `gaitway serve`, and how they and `config.toml` become one Config."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from stream import config
from stream.errors import ConfigError

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings. Default: ./config.toml, if any."),
]
Host = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="Where to listen; 0.0.0.0, the default with TLS, lets phones in."
    ),
]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, metavar="PORT", help="0 lets the system choose."),
]
Https = Annotated[
    bool, typer.Option("--https", help="Speak TLS, with a certificate made for this machine.")
]
Cert = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Speak TLS with your own certificate chain, in PEM."),
]
Key = Annotated[Path | None, typer.Option(metavar="FILE", help="The key of --cert, in PEM.")]
Mqtt = Annotated[
    str | None,
    typer.Option(metavar="URL", help="A broker to join, as mqtt://user@host:1883."),
]
Dial = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=ADDRESS",
        help="A phone that waits for a call: ws://… runs SensorServer, http://… phyphox.",
    ),
]
Artifact = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="The model: a folder that `gaitway train` wrote."),
]
Record = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Write what phones are labelled with as recordings."),
]
Journal = Annotated[
    str | None, typer.Option(metavar="FILE", help="Where frames are kept; '' means nowhere.")
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Let others in without tokens, or without TLS.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")]


def settings(path: Path | None, said: Mapping[str, object], dial: list[str]) -> config.Config:
    """Read the settings, and put in what the command line says: `said`, by section.key.

    What is None was not said. Raises ConfigError.
    """
    raw = msgspec.to_builtins(config.load_found(path))
    for name, value in said.items():
        section, _, key = name.partition(".")
        if value is not None:
            raw[section][key] = str(value) if isinstance(value, Path) else value
    for call in dial:
        name, given, url = call.partition("=")
        if not (given and url):
            raise ConfigError(f"--dial {call!r}: NAME=ADDRESS is needed, as in pixel-7=ws://…")
        raw["devices"].setdefault(name, {}).update(app="", url=url)  # the address says which app
    return config.check(raw, "command line")  # the file's own are checked
