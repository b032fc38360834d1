"""How much nonsense disturbs others: `python -m tests.shell.measure_attack`.

A hundred good phones stream, without and with a pool of connections that send mutated frames:
100,000 in a minute, or as fast as they are taken, from an address that no limits hold for, and from
one that they do hold for. Prints the phones' latency, side by side; judges nothing.
"""

import asyncio
import random
import statistics
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from clients.load import Load, load
from stream.wire.binary import encode_binary
from stream.wire.text import TextFrame, encode_text
from tests.shell.serving import serving

ROUNDS = 3
PHONES, POOL = 100, 20
STREAM_S = 60.0
PACE_S = POOL * STREAM_S / 100_000  # between the frames of one connection
EXEMPT, LIMITED = "127.0.0.1", "127.0.0.2"
CASES: dict[str, tuple[str, float] | None] = {  # an attack's address and pace
    "nobody attacks": None,
    "100,000 a minute": (EXEMPT, PACE_S),
    "as fast as taken": (EXEMPT, 0.0),
    "limits hold": (LIMITED, 0.0),
}
SETTINGS = '[limits]\nexempt = ["127.0.0.1/32"]\n[journal]\npath = ""\n'
ODD = (b"-", b"1e999", b"null", b'"', b"{", b"]", b"\xff\xff\xff\xff", b"\0" * 8)


class Figures(NamedTuple):
    """What one run found."""

    p50: float  # ms
    p99: float
    mutated: int


def good_frames(rng: np.random.Generator) -> list[bytes]:
    """Return frames of all kinds, as phones send them."""
    xyz = rng.normal([0, 9.8, 0], 3, (20, 3)).astype(np.float32)
    t = 100 + np.arange(20) / 20
    text = TextFrame(xyz=[tuple(row) for row in xyz.tolist()], seq=1)
    timed = TextFrame(xyz=text.xyz, seq=1, t=t.tolist())
    binary = [encode_binary(1, xyz), encode_binary(1, xyz, t)]
    return [*binary, encode_text(text), encode_text(timed)]


def mutations(seed: int) -> Iterator[str | bytes]:
    """Yield frames with one to four faults each, for ever."""
    luck, good = random.Random(seed), good_frames(np.random.default_rng(seed))
    while True:
        frame = bytearray(luck.choice(good))
        is_text = frame[:1] == b"{"
        for _ in range(luck.randint(1, 4)):
            _spoil(frame, luck)
        try:
            yield frame.decode() if is_text else bytes(frame)
        except UnicodeDecodeError:
            yield bytes(frame)


def _spoil(frame: bytearray, luck: random.Random) -> None:
    begin = luck.randrange(len(frame) + 1)
    end = min(begin + luck.randint(1, 24), len(frame))
    match luck.randrange(4):
        case 0:
            frame[begin:end] = luck.randbytes(end - begin)
        case 1:
            frame[begin:begin] = luck.choice(ODD)
        case 2:
            frame[begin:end] = b""
        case _:
            frame[begin:begin] = frame[begin:end]


async def attack(url: str, source: str, pace_s: str) -> None:
    """Be the attacker, until standard input ends; print how many frames were sent."""
    sent = [0] * POOL
    storms = [asyncio.create_task(_storm(url, source, n, sent, float(pace_s))) for n in range(POOL)]
    await asyncio.to_thread(sys.stdin.read)
    for storm in storms:
        storm.cancel()
    await asyncio.wait(storms)
    print(sum(sent))  # noqa: T201


async def _storm(url: str, source: str, number: int, sent: list[int], pace_s: float) -> None:
    frames, where = mutations(number), f"{url}/v1/stream?device=bad-{number}"
    while True:
        try:
            async with connect(
                where, local_addr=(source, 0), compression=None, close_timeout=1
            ) as socket:
                await _pour(socket, frames, number, sent, pace_s)
        except (OSError, WebSocketException):
            await asyncio.sleep(0)  # at once again


async def _pour(
    socket: ClientConnection,
    frames: Iterator[str | bytes],
    number: int,
    sent: list[int],
    pace_s: float,
) -> None:
    async def reading() -> None:
        async for _ in socket:
            pass

    ignoring = asyncio.create_task(reading())
    try:
        for frame in frames:
            await socket.send(frame)
            await asyncio.sleep(pace_s)  # sending alone need not let anything else have its turn
            sent[number] += 1
    except ConnectionClosed:
        return
    finally:
        ignoring.cancel()
        await asyncio.wait([ignoring])


async def run(storm: tuple[str, float] | None) -> Figures:
    """Let the phones stream once, beside an attack, if there is one."""
    async with serving(SETTINGS) as (url, _):
        attacker: Process | None = None
        if storm:
            source, pace_s = storm
            attacker = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.shell.measure_attack", url, source, str(pace_s)),
                stdin=PIPE,
                stdout=PIPE,
            )
        report = await load(Load(url, PHONES, seconds=STREAM_S), None, lambda _: None)
        said = (await attacker.communicate(b""))[0] if attacker else b"0"  # its input ends
    assert report.lossless, report
    return Figures(report.latency_ms.p50, report.latency_ms.p99, int(said))


async def main() -> None:
    """Run all cases in turn, round by round, and print each one's medians."""
    rounds = [{case: await run(storm) for case, storm in CASES.items()} for _ in range(ROUNDS)]
    quiet = statistics.median(one["nobody attacks"].p99 for one in rounds)
    for case in CASES:
        columns = zip(*(one[case] for one in rounds), strict=True)
        p50, p99, mutated = map(statistics.median, columns)
        print(  # noqa: T201
            f"{case:16} p50 {p50:6.1f} ms, p99 {p99:6.1f} ms ({p99 / quiet:.2f} times that "
            f"of nobody), {mutated:,.0f} mutated frames"
        )


if __name__ == "__main__":
    uvloop.run(attack(*sys.argv[1:]) if len(sys.argv) > 1 else main())
