"""Plays many phones at once against a server and counts what comes back. Prints nothing."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from clients.address import WebSocketAddress, parse
from clients.errors import ClientError, UnreachableError
from clients.frames import Encoding, Style
from clients.load_phone import LoadPhone, Tally
from clients.load_plan import make_plans
from clients.load_report import Report, latency
from clients.server_process import ServerProcess
from clients.tasks import beside, together
from stream.config import Signal
from stream.errors import ParameterError

CONNECTING = 100  # phones that connect at the same time
LOOK_EVERY_S = 0.25


class Load(NamedTuple):
    """How many phones, and how they play."""

    url: str
    phones: int = 100
    rate_hz: float = 20.0
    seconds: float = 60.0
    frame_s: float = 1.0
    encoding: Encoding = "binary"
    timed: bool = False
    speed: float = 1.0  # times real time
    token: str | None = None
    ca: Path | None = None


class Progress(NamedTuple):
    """How far a run is."""

    connected: int
    frames: int
    predictions: int


async def load(
    options: Load, process: ServerProcess | None, tell: Callable[[Progress], None]
) -> Report:
    """Run; raises UnreachableError or RefusedError where no phone gets a connection."""
    style = Style(options.encoding, rate_hz=options.rate_hz)
    plans = make_plans(
        options.seconds, options.rate_hz, options.frame_s, style, timed=options.timed
    )
    tally = Tally()
    phones = [LoadPhone(plans[i % len(plans)], tally) for i in range(options.phones)]
    async with beside(_tell(phones, tally, tell), "load progress"):
        await _connect(phones, options, tally)
        cpu_s, began = time.process_time(), time.monotonic()
        if process is not None:
            process.begin()
        await _play(phones, options, process)
    client_percent = 100 * (time.process_time() - cpu_s) / (time.monotonic() - began)
    return _report(options, phones, tally, client_percent, process)


async def _tell(phones: list[LoadPhone], tally: Tally, tell: Callable[[Progress], None]) -> None:
    while True:
        connected = sum(phone.connected for phone in phones)
        tell(Progress(connected, tally.frames, tally.predictions))
        await asyncio.sleep(LOOK_EVERY_S)


async def _connect(phones: list[LoadPhone], options: Load, tally: Tally) -> None:
    served = options.url.startswith(("ws://", "wss://"))
    address = parse(options.url, options.ca) if served else None
    if not isinstance(address, WebSocketAddress):
        raise ParameterError(f"URL {options.url!r}: load speaks ws:// and wss:// only")
    free = asyncio.Semaphore(CONNECTING)
    failures: list[ClientError] = []

    async def connect(number: int, phone: LoadPhone) -> None:
        async with free:
            try:
                url = address.stream(device=f"load-{number:05}")
                await phone.connect(url, options.token, options.ca)
            except ClientError as error:
                failures.append(error)

    works = {f"connect {i}": connect(i, phone) for i, phone in enumerate(phones)}
    await together(works)
    if failures:
        tally.first_error = str(failures[0])
    if len(failures) == len(phones):
        raise failures[0] if failures else UnreachableError("no phone was asked for")


async def _play(phones: list[LoadPhone], options: Load, process: ServerProcess | None) -> None:
    """Let all phones play, their first frames spread over a hop as strangers' would be."""
    signal = Signal()
    pace_s = options.frame_s / options.speed
    spread_s = max(options.frame_s, signal.hop / signal.grid_hz) / options.speed
    now = asyncio.get_running_loop().time()
    works = {
        f"load {i}": phone.play(now + spread_s * i / len(phones), pace_s)
        for i, phone in enumerate(phones)
    }
    if process is None:
        await together(works)
        return
    async with beside(process.watch(), "watch the server's process"):
        await together(works)


def _report(
    options: Load,
    phones: list[LoadPhone],
    tally: Tally,
    client_percent: float,
    process: ServerProcess | None,
) -> Report:
    span = tally.last_at - tally.first_at
    return Report(
        phones=options.phones,
        rate_hz=options.rate_hz,
        frame_s=options.frame_s,
        seconds=options.seconds,
        encoding=options.encoding,
        timed=options.timed,
        frames=tally.frames,
        unacked=sum(phone.sent - phone.acked for phone in phones),
        disconnected=sum(not phone.connected for phone in phones),
        errors=tally.errors,
        first_error=tally.first_error,
        expected=sum(phone.expected for phone in phones),
        predictions=tally.predictions,
        missing=sum(phone.missing for phone in phones),
        doubled=sum(phone.doubled for phone in phones),
        extra=sum(phone.extra for phone in phones),
        windows_per_s=round(tally.predictions / span, 1) if span else 0.0,
        latency_ms=latency(tally.latencies_s),
        behind_ms=round(tally.behind_s * 1e3, 1),
        client_cpu_percent=round(client_percent, 1),
        server=process.use() if process else None,
    )
