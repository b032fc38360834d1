"""The commands `gaitway token add`, `list` and `revoke`. A running server notices at once."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from stream import config, token_file, tokens
from stream.errors import ConfigError
from stream.tokens import Book, May, Token
from stream.wire import check_id

app = typer.Typer(
    help="Who may stream and who may watch: make, list and revoke tokens.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
ConfigPath = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings. Default: ./config.toml, if any."),
]
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@app.command()
def add(
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="Streams as this device only.")
    ] = None,
    watch: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="Watches devices that match, as pixel-* does."),
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="May do everything.")] = False,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="Ends by itself after, say, 12h, 30d or 4w.")
    ] = None,
    config_path: ConfigPath = None,
) -> None:
    """Make a token and print it, once: only its hash is kept.

    [dim]gaitway token add --device pixel-7[/]
    [dim]gaitway token add --watch 'pixel-*' --expires 30d[/]
    """
    may, name = _wanted(device, watch, admin=admin)
    now = datetime.now(UTC)
    ends = None if expires is None else now + _length(expires)
    random = os.urandom(tokens.ID_BYTES + tokens.SECRET_BYTES)
    shown, token = tokens.mint(random, may, name, now.replace(microsecond=0), ends)
    path = _path(config_path)
    with token_file.changing(path) as books:
        books[0] = Book([*books[0], token])
    typer.echo(shown)
    hint = f"; for its browser: https://ADDRESS/phone#token={shown}" if may == "device" else ""
    typer.echo(f"It is shown this once{hint}. Revoke it: gaitway token revoke {token.id}", err=True)


@app.command(name="list")
def list_(config_path: ConfigPath = None) -> None:
    """List the tokens there are, by their ids."""
    path, now = _path(config_path), datetime.now(UTC)
    for token in token_file.load(path) if path.exists() else Book():
        typer.echo(_line(token, now))


@app.command()
def revoke(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The 8 characters after gw-.")],
    config_path: ConfigPath = None,
) -> None:
    """Revoke a token: whoever uses it is shown out within a second."""
    with token_file.changing(_path(config_path)) as books:
        books[0] = books[0].without(id_)
    typer.echo(f"revoked {id_}")


def _wanted(device: str | None, watch: str | None, *, admin: bool) -> tuple[May, str]:
    if (device is not None) + (watch is not None) + admin != 1:
        raise ConfigError("one of --device NAME, --watch PATTERN and --admin is needed")
    if device is not None:
        return "device", check_id("device", device)
    return ("admin", "") if watch is None else ("watch", tokens.check_pattern(watch))


def _length(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9]\d{0,3})([mhdw])", text, re.ASCII)
    if found is None:
        raise ConfigError(f"--expires {text!r}: a number and m, h, d or w is allowed, as in 30d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _path(config_path: Path | None) -> Path:
    return Path(config.load_found(config_path).auth.tokens)


def _line(token: Token, now: datetime) -> str:
    ends = "" if token.expires is None else f"  expires {token.expires:%Y-%m-%d %H:%M} UTC"
    over = " (over)" if token.expired(now) else ""
    what = f"{token.may} {token.name}".strip()
    return f"{token.id}  {what:<40}  made {token.created:%Y-%m-%d}{ends}{over}"
