"""The commands `demo`, `watch`, `replay` and `load`; `stream.cli` puts them into `gaitway`.

Each imports what it runs when it runs, so that the other commands start quickly.
"""

import asyncio
import logging
import math
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from stream.errors import ParameterError

Result = TypeVar("Result")

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich")

SECONDS = "SECONDS"
ANYWHERE = "A server, ws:// or wss://, or a broker, mqtt:// or mqtts://."
Token = Annotated[
    str | None,
    typer.Option(envvar="GAITWAY_TOKEN", metavar="TOKEN", help="For a server that asks for one."),
]
Ca = Annotated[
    Path | None,
    typer.Option(
        envvar="GAITWAY_CA",
        metavar="FILE",
        help="Authority to trust, in PEM. Default: the one that `gaitway serve --https` made here.",
    ),
]
ToServer = Annotated[str, typer.Option("--to", metavar="URL", help="The server, ws:// or wss://.")]
FrameS = Annotated[
    float, typer.Option(min=0.02, max=60, metavar=SECONDS, help="Length of a frame.")
]
Seconds = Annotated[float, typer.Option(min=1, metavar=SECONDS, help="How long each phone sends.")]
Minutes = Annotated[
    float | None,
    typer.Option(min=0.02, metavar="MINUTES", help="The same in minutes, for a soak."),
]
Timed = Annotated[bool, typer.Option("--timed/--untimed", help="Send each sample's time, or none.")]
Binary = Annotated[bool, typer.Option("--binary/--json", help="How frames are written.")]
Plain = Annotated[bool, typer.Option("--plain", help="Lines instead of a live table.")]
StopS = Annotated[float | None, typer.Option(min=0, metavar=SECONDS, help="Stop after so long.")]
DEFAULT_URL = "ws://127.0.0.1:8765"


@app.command()
def demo(
    seconds: StopS = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="0 takes any free one.")
    ] = 0,
    plain: Plain = False,
) -> None:
    """Start a server, play several people, and show what they do, live.

    Plays the recordings that `gaitway data get` fetched, or those in the folder
    that GAITWAY_DATA names, ten times as fast as they were recorded; where
    there are none, made-up walkers. Ctrl-C ends it.

    [dim]gaitway demo[/]
    [dim]gaitway demo --seconds 30[/]
    """
    from rich.console import Console  # noqa: PLC0415

    from clients.demo import run_demo  # noqa: PLC0415

    _run(run_demo(Console(), port=port, seconds=seconds, plain=plain))


@app.command()
def watch(
    url: Annotated[str, typer.Argument(help=ANYWHERE)] = DEFAULT_URL,
    device: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this device; repeat for more.")
    ] = None,
    seconds: StopS = None,
    plain: Plain = False,
    token: Token = None,
    ca: Ca = None,
) -> None:
    """Show devices and what their owners do, live.

    A table in a terminal, lines anywhere else. A lost connection is made again.
    A broker's password is taken from GAITWAY_MQTT_PASSWORD.

    [dim]gaitway watch[/]
    [dim]gaitway watch wss://gaitway.local:8765 --ca ca.crt[/]
    [dim]gaitway watch mqtt://me@broker.local/gaitway --device pixel-7[/]
    """
    from rich.console import Console  # noqa: PLC0415

    from clients.listen import follow  # noqa: PLC0415
    from clients.show import show  # noqa: PLC0415

    kinds: tuple[Any, ...] = ("activity", "prediction", "status", "quality")
    messages = follow(url, devices=device or [], types=kinds, token=token, ca=ca)
    _run(show(messages, Console(), seconds=seconds, plain=plain))


@app.command()
def replay(
    path: Annotated[Path, typer.Argument(help="A data set's file, or a folder of them.")],
    user: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only this person, as 33 or wisdm-v1.1-33; repeat for more."
        ),
    ] = None,
    to: Annotated[str, typer.Option(metavar="URL", help=ANYWHERE)] = DEFAULT_URL,
    speed: Annotated[
        str,
        typer.Option(metavar="X", help="Times real time; [b]max[/]: as fast as acks allow."),
    ] = "1",
    seconds: Annotated[
        float | None, typer.Option(metavar=SECONDS, help="Only so much from the beginning.")
    ] = None,
    frame_s: FrameS = 1.0,
    timed: Timed = True,
    binary: Binary = True,
    token: Token = None,
    ca: Ca = None,
) -> None:
    """Play recordings as phones, and compare answers with labels.

    Each person is a phone. Known are the files of WISDM v1.1, WISDM 2019 and
    MotionSense. Frames are kept until the server acks them, so a broken
    connection or a server that is started again costs nothing.

    [dim]gaitway replay WISDM_ar_latest.tar.gz --user 33 --speed 10[/]
    [dim]gaitway replay ~/.cache/gaitway --to mqtt://127.0.0.1 --speed max[/]
    """
    from clients.replay import Replay  # noqa: PLC0415
    from clients.replay_view import play  # noqa: PLC0415

    options = Replay(
        to,
        speed=_speed(speed),
        frame_s=frame_s,
        timed=timed,
        encoding="binary" if binary else "json",
        token=token,
        ca=ca,
    )
    _run(play(path, user or [], seconds, options))


@app.command()
def load(
    phones: Annotated[int, typer.Option(min=1, metavar="N", help="How many at once.")] = 100,
    rate: Annotated[
        float, typer.Option(min=5, max=400, metavar="HZ", help="Samples a second.")
    ] = 20.0,
    seconds: Seconds = 60.0,
    minutes: Minutes = None,
    to: ToServer = DEFAULT_URL,
    frame_s: FrameS = 1.0,
    timed: Timed = False,
    binary: Binary = True,
    pid: Annotated[
        int | None,
        typer.Option(metavar="N", help="The server's process, where it isn't found by its port."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the figures here, as JSON.")
    ] = None,
    token: Token = None,
    ca: Ca = None,
) -> None:
    """Play many phones at once, and count what comes back.

    All of them play made-up walkers and start spread over one hop. Every window
    must come back exactly once, or the exit code is 1.

    Latency runs from sending the last sample of a window to receiving its
    prediction. CPU is in percent of one core. After more than a minute, it says
    by how much the server's memory has grown since that minute.

    [dim]gaitway load --phones 2000 --seconds 60[/]
    [dim]gaitway load --phones 500 --rate 50 --timed --report load.json[/]
    [dim]gaitway load --phones 200 --minutes 30[/]
    """
    from clients.load import Load  # noqa: PLC0415
    from clients.load_view import run_load  # noqa: PLC0415

    options = Load(
        to,
        phones=phones,
        rate_hz=rate,
        seconds=seconds if minutes is None else 60 * minutes,
        frame_s=frame_s,
        encoding="binary" if binary else "json",
        timed=timed,
        token=token,
        ca=ca,
    )
    if not _run(run_load(options, pid, report)).lossless:
        raise typer.Exit(1)


def _speed(text: str) -> float:
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = math.nan
    if not speed > 0:
        raise ParameterError(f"--speed {text!r}: a number above 0, or max, is allowed")
    return speed


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run on uvloop where there is one; Ctrl-C ends it quietly."""
    # Retries are part of the work, and their log lines would tear a live table.
    logging.getLogger("stamina").setLevel(logging.ERROR)
    try:
        if sys.platform == "win32":
            return asyncio.run(work)
        import uvloop  # noqa: PLC0415

        return uvloop.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
