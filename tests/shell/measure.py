"""What a frame costs the hub, with and without waveforms: `python -m tests.shell.measure`.

Counts CPU time, takes the best of several rounds, and judges nothing. Inference is left out.
"""

import asyncio
import time
from contextlib import ExitStack

import numpy as np

from stream.journal.entries import Query
from stream.outbox import Outbox
from stream.wire import Frame
from tests.shell.test_hub import World

ROUNDS = 15
DEVICES = 50
FRAMES = 60  # a device and round, of a second at 20 Hz, with times as phones send them
ASKED = {
    "nobody listens": None,
    "one listens, to activity and status": frozenset({"activity", "status"}),
    "one watches another device's waveform": frozenset({"waveform"}),
    "one watches all waveforms": frozenset({"waveform"}),
}


def made() -> list[Frame]:
    """Return a second each of one device's stream."""
    rng = np.random.default_rng(0)
    frames = []
    for seq in range(FRAMES):
        t = seq + np.arange(20) / 20 + 0.003
        xyz = rng.normal([0, 9.8, 0], 3, (20, 3)).astype(np.float32)
        frames.append(Frame(seq, t, None, xyz))
    return frames


async def cost(title: str, frames: list[Frame]) -> float:
    """Return the µs that a frame takes."""
    world, outbox, types = World(), Outbox(1000), ASKED[title]
    devices = frozenset({"other"}) if "another" in title else frozenset[str]()
    with ExitStack() as stack:
        if types is not None:
            stack.enter_context(world.hub.publisher.listening(outbox, Query(devices, types)))
        lives = [world.hub.open("websocket", f"phone-{number}") for number in range(DEVICES)]
        began = time.process_time()
        for frame in frames:
            for live in lives:
                world.hub.take(live, frame, 20.0)
            while outbox._waiting or outbox._newest:
                await outbox.take()
        return (time.process_time() - began) / (FRAMES * DEVICES) * 1e6


async def main() -> None:
    """Measure all of `ASKED`, round by round, and print the best of each."""
    frames = made()
    rounds = [{title: await cost(title, frames) for title in ASKED} for _ in range(ROUNDS)]
    for title in ASKED:
        best = min(found[title] for found in rounds)
        print(f"{title:40} {best:6.1f} µs a frame")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
