"""A phone for load: sends what was encoded before, and only counts what comes back.

Unlike `Phone` it doesn't connect again: a broken connection is what a load run should show.
"""

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from clients.load_plan import Plan
from clients.websocket_link import judge, open_websocket

LAST_S = 10.0  # how long the last predictions may take


class _Heard(msgspec.Struct):
    """As much of a message as is counted."""

    type: str
    window: int = -1
    seq: int | None = None
    code: str = ""
    message: str = ""


_heard = msgspec.json.Decoder(_Heard)


class _Wire(ClientConnection):
    """A connection that hands text to `hear` as it arrives: no queue, and no task that reads it."""

    hear: Callable[[_Heard], None] | None = None

    def process_event(self, event: Event) -> None:
        if self.hear is None or not isinstance(event, Frame):
            return super().process_event(event)
        if event.opcode is Opcode.TEXT and event.fin:
            return self.hear(_heard.decode(event.data))
        return super().process_event(event)


class Tally:
    """What all phones of a run count together."""

    def __init__(self) -> None:
        self.latencies_s = array("d")
        self.frames = 0
        self.predictions = 0
        self.errors = 0
        self.first_error = ""
        self.behind_s = 0.0
        self.first_at = 0.0  # when the first and the last prediction came, in s
        self.last_at = 0.0


class LoadPhone:
    """One device: `connect`, `play`, and then what it has `seen`."""

    def __init__(self, plan: Plan, tally: Tally) -> None:
        self.seen: Counter[int] = Counter()  # window → predictions
        self.acked = 0
        self.sent = 0
        self.connected = False
        self._plan = plan
        self._tally = tally
        self._sent_at = array("d")
        self._websocket: ClientConnection | None = None
        self._news = asyncio.Event()

    @property
    def expected(self) -> int:
        """How many windows the frames that were sent complete."""
        return int((self._plan.completing < self.sent).sum())

    @property
    def missing(self) -> int:
        """How many of these got no prediction."""
        return sum(window not in self.seen for window in range(self.expected))

    @property
    def doubled(self) -> int:
        """How many predictions came for windows that had one."""
        return self.seen.total() - len(self.seen)

    @property
    def extra(self) -> int:
        """How many windows got a prediction and should not exist."""
        return sum(window >= self.expected for window in self.seen)

    async def connect(self, url: str, token: str | None, ca: Path | None = None) -> None:
        """Connect and wait for the welcome; raises as `open_websocket` does."""
        websocket = cast("_Wire", await open_websocket(url, token, ca, _Wire))
        try:
            await websocket.recv()
        except ConnectionClosed:
            judge(websocket, progress=False)
        websocket.hear = self._hear
        self._websocket = websocket
        self.connected = True

    async def play(self, begin: float, pace_s: float) -> None:
        """Send frame k at `begin` + (k + 1) `pace_s` on the loop's clock; wait for the last."""
        websocket = self._websocket
        if websocket is None:
            return
        with suppress(ConnectionClosed):
            await self._send(websocket, begin, pace_s)
            await self._last(websocket)
        if websocket.close_code is not None:
            self.connected = False
            broke = f"a connection broke ({websocket.close_code}: {websocket.close_reason})"
            self._tally.first_error = self._tally.first_error or broke
        await websocket.close()

    async def _send(self, websocket: ClientConnection, begin: float, pace_s: float) -> None:
        clock = asyncio.get_running_loop().time
        for number, payload in enumerate(self._plan.payloads, start=1):
            wait = begin + number * pace_s - clock()
            await asyncio.sleep(wait)
            behind = clock() - begin - number * pace_s
            self._tally.behind_s = max(self._tally.behind_s, behind)
            self._sent_at.append(time.perf_counter())
            await websocket.send(payload, text=self._plan.text)
            self.sent += 1
            self._tally.frames += 1

    def _hear(self, heard: _Heard) -> None:
        if heard.type == "ack" and heard.seq is not None:
            self.acked = heard.seq + 1
        elif heard.type == "prediction":
            self._predicted(heard.window, time.perf_counter())
        elif heard.type in ("error", "missed"):
            self._tally.errors += 1
            self._tally.first_error = self._tally.first_error or f"{heard.code}: {heard.message}"
        self._news.set()

    def _predicted(self, window: int, now: float) -> None:
        tally = self._tally
        tally.predictions += 1
        tally.first_at = tally.first_at or now
        tally.last_at = now
        self.seen[window] += 1
        if window < len(self._plan.completing):
            frame = self._plan.completing[window]
            tally.latencies_s.append(now - self._sent_at[frame])

    async def _last(self, websocket: ClientConnection) -> None:
        """Wait for all acks and predictions, as long as any come within LAST_S."""
        expected = self.expected
        while self.acked < self.sent or len(self.seen) < expected:
            if websocket.close_code is not None:
                return
            self._news.clear()
            try:
                async with asyncio.timeout(LAST_S):
                    await self._news.wait()
            except TimeoutError:
                return
