"""The commands `gaitway token add`, `list` and `revoke`. A running server notices at once."""

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from stream import config
from stream.access import token_file, tokens
from stream.access.exposure import is_here
from stream.access.tokens import Book, May, Token
from stream.errors import ConfigError
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
    phones: Annotated[
        bool, typer.Option("--phones", help="Streams as any device, and watches all.")
    ] = False,
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
    may, name = _wanted(device, watch, phones=phones, admin=admin)
    lasts = None if expires is None else _length(expires)
    settings = config.load_found(config_path)
    shown, token = token_file.add(Path(settings.auth.tokens), may, name, lasts)
    typer.echo(shown)
    if may in ("device", "phones"):
        _show_phone(settings.server, shown)
    kept = f"{Path(settings.auth.tokens).absolute()} keeps its hash"
    typer.echo(
        f"It is shown this once; {kept}. Revoke it: gaitway token revoke {token.id}", err=True
    )


@app.command(name="list")
def list_(config_path: ConfigPath = None) -> None:
    """List the tokens there are, by their ids."""
    path, now = _path(config_path), datetime.now(UTC)
    there = path.exists()
    book = token_file.load(path) if there else Book()
    for token in book:
        typer.echo(_line(token, now))
    if not book:
        what = "holds no tokens" if there else "is not there, so there are no tokens"
        typer.echo(f"{path.absolute()} {what}. Make one: gaitway token add --device NAME", err=True)


@app.command()
def revoke(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The 8 characters after gw-.")],
    config_path: ConfigPath = None,
) -> None:
    """Revoke a token: whoever uses it is shown out within a second."""
    with token_file.changing(_path(config_path)) as books:
        books[0] = books[0].without(id_)
    typer.echo(f"revoked {id_}")


def _wanted(device: str | None, watch: str | None, *, phones: bool, admin: bool) -> tuple[May, str]:
    if (device is not None) + (watch is not None) + phones + admin != 1:
        raise ConfigError("one of --device NAME, --watch PATTERN, --phones and --admin is needed")
    if device is not None:
        return "device", check_id("device", device)
    if watch is not None:
        return "watch", tokens.check_pattern(watch)
    return ("phones" if phones else "admin"), ""


def _show_phone(server: config.Server, shown: str) -> None:
    """Print where a phone's browser takes the token from, and a code where TLS has been spoken."""
    from stream import addresses, folders, terminal  # noqa: PLC0415  other commands do without

    inside = server.address in addresses.ANY or is_here(server.address)
    host = addresses.in_url(addresses.own() if inside else server.address)
    url = f"https://{host}:{server.port}/phone#token={shown}"
    typer.echo(f"A phone's browser takes it from here, with `serve --https`: {url}", err=True)
    if sys.stderr.isatty() and (server.secure or folders.authority().is_file()):
        for line in terminal.code(url):
            typer.echo("  " + typer.style(line, fg="bright_white", bg="black"), err=True)


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
