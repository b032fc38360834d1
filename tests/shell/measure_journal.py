"""What the journal costs at saturation: `python -m tests.shell.measure_journal`.

The same phones, as fast as they are acked, against servers with the journal as it ships, without
waiting for the disk, and with none at all, in turn. Prints medians and the ratio; judges nothing.
Without a journal each frame has an ack of its own, with it a commit has one: so that may be slower.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import uvloop

from clients.load import Load, load
from clients.server_process import ServerProcess
from stream import cli, config, service
from stream.journal.entries import Entry
from stream.journal.groups import DeviceRow, SessionRow
from stream.journal.journal import Journal
from stream.journal.records import AnyInput
from stream.metrics import Metrics
from tests.shell.serving import serving

ROUNDS = 5
# All that wait at once, 256 frames a phone and all windows, stay under the service's limits.
PHONES, SECONDS = 60, 300.0
NONE = "NONE"
VARIANTS = {"FULL": "as it ships", "OFF": "synchronous = OFF", NONE: "no journal"}


class Absent(Journal):
    """No journal: everything counts as durable at once, and nothing is written or kept."""

    def __init__(self, options: config.Journal, metrics: Metrics) -> None:
        super().__init__(options, metrics)
        self.durable = self.group

    async def run(self, _recover: Callable[[], None]) -> None:
        self.opened, self.problem = True, None
        self.tried.set()
        await asyncio.Event().wait()

    def put(self, _opened: int, _what: AnyInput) -> int:
        return self.next_input

    def put_session(self, row: SessionRow) -> None:
        pass

    def put_device(self, row: DeviceRow) -> None:
        pass

    async def flush(self) -> None:
        pass

    def put_entry(self, _make: Callable[[int], Entry]) -> None:
        self._position += 1


class Figures(NamedTuple):
    """One run, or the medians of several."""

    frames_per_s: float
    cpu_us: float  # the server's, a frame, with all that follows from it


class Timed(ServerProcess):
    """A server that knows when the phones began to send."""

    began_s = 0.0

    def begin(self) -> None:
        super().begin()
        self.began_s = time.monotonic()


def serve(variant: str, *options: str) -> None:
    """Be a server of that variant."""
    if variant == NONE:
        setattr(service, "Journal", Absent)  # noqa: B010  as mypy knows it for a class
    sys.argv = ["gaitway", "serve", *options]
    cli.main()


async def run(variant: str) -> Figures:
    """Play all phones once, as fast as they are acked, until all is answered."""
    command = (sys.executable, "-m", "tests.shell.measure_journal", variant)
    settings = "" if variant == NONE else f'synchronous = "{variant}"'
    async with serving(f'[journal]\npath = ""\n{settings}\n', command) as (url, pid):
        process = Timed(pid)
        options = Load(url, PHONES, seconds=SECONDS, speed=1e9)
        report = await load(options, process, lambda _: None)
        took_s = time.monotonic() - process.began_s
    assert report.lossless, report
    assert report.server is not None
    cpu_us = report.server.cpu_percent / 100 * took_s / report.frames * 1e6
    return Figures(report.frames / took_s, cpu_us)


async def main() -> None:
    """Run all variants in turn, round by round, and print each one's medians."""
    rounds = [{variant: await run(variant) for variant in VARIANTS} for _ in range(ROUNDS)]
    medians = {
        variant: Figures(
            *map(statistics.median, zip(*(one[variant] for one in rounds), strict=True))
        )
        for variant in VARIANTS
    }
    for variant, title in VARIANTS.items():
        each = ", ".join(f"{one[variant].frames_per_s:,.0f}" for one in rounds)
        per_s, cpu_us = medians[variant]
        print(f"{title:20}{per_s:6,.0f} frames/s of {each}; {cpu_us:.0f} µs CPU a frame")  # noqa: T201
    ratio = medians["FULL"].frames_per_s / medians[NONE].frames_per_s
    print(f"with it, {ratio:.0%} of what is done without")  # noqa: T201


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(*sys.argv[1:])
    else:
        uvloop.run(main())
