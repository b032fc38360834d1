"""Plays tracks as phones, one each, all at the same time. Prints nothing."""

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from clients.frames import GRID_HZ, Encoding
from clients.phone import Phone
from clients.score import Score
from clients.tasks import beside, together
from clients.track import Track

QUIET_S = 2.0  # so long without a message means that the last prediction has come
HOP_S = 2.0  # between the ends of two windows
# So far behind a track's last sample the newest window may end: exactly on the grid without times,
# and otherwise where the samples that its last one is made of are known.
ON_GRID_S, LOOK_AHEAD_S = -0.05, 0.2
EPSILON_S = 1e-6

Advance = Callable[[Track, float], None]  # a track has been played up to so many seconds


class Replay(NamedTuple):
    """How to play."""

    url: str
    speed: float = 1.0  # math.inf: as fast as acks allow
    frame_s: float = 1.0
    timed: bool = True
    encoding: Encoding = "binary"
    patience_s: float | None = 60.0
    token: str | None = None
    ca: Path | None = None


async def replay(tracks: list[Track], options: Replay, advance: Advance) -> list[Score]:
    """Play all tracks; raises ClientError for the first phone that has to give up."""
    players = [
        _Player(track if options.timed else track.evenly(), options, advance) for track in tracks
    ]
    await together({f"play {player.score.name}": player.play() for player in players})
    return [player.score for player in players]


class _Player:
    """One track and its phone."""

    def __init__(self, track: Track, options: Replay, advance: Advance) -> None:
        self.score = Score(track)
        self._track = track
        self._options = options
        self._advance = advance
        self._news = asyncio.Event()

    async def play(self) -> None:
        options = self._options
        phone = Phone(
            options.url,
            self._track.name,
            encoding=options.encoding,
            rate_hz=self._track.rate_hz,
            patience_s=options.patience_s,
            token=options.token,
            ca=options.ca,
        )
        async with phone, beside(self._listen(phone), f"listen {self._track.name}"):
            await self._send(phone)
            await phone.drain()
            await self._settle()

    async def _send(self, phone: Phone) -> None:
        clock = asyncio.get_running_loop().time
        began, first = clock(), self._track.t[0]
        played = 0
        for frame in self._track.frames(self._options.frame_s, timed=self._options.timed):
            played += len(frame.xyz)
            position = float(self._track.t[played - 1] - first)
            if math.isfinite(self._options.speed):
                await asyncio.sleep(began + position / self._options.speed - clock())
            await phone.send(frame.xyz, frame.t)
            self.score.samples += len(frame.xyz)
            self.score.frames += 1
            self._advance(self._track, position)

    async def _listen(self, phone: Phone) -> None:
        async for message in phone.messages():
            # A timed server goes by the phone's times; an untimed one counts samples.
            forgotten = 0 if self._options.timed else phone.session_base
            self.score.hear(message, forgotten / self._track.rate_hz)
            self._news.set()

    async def _settle(self) -> None:
        """Wait for the predictions of the last windows, which may come after the last ack."""
        on_grid = not self._options.timed and self._track.rate_hz == GRID_HZ
        last = self._track.t[-1] - (ON_GRID_S if on_grid else LOOK_AHEAD_S) + EPSILON_S
        while self.score.end + HOP_S <= last:
            self._news.clear()
            try:
                async with asyncio.timeout(QUIET_S):
                    await self._news.wait()
            except TimeoutError:
                return
