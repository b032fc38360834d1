"""Phones that stream through whatever happens, and remember what they heard."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from clients import Phone
from stream.events import Ended, Prediction, Started
from tests.faults.judge import FAULTLESS, Said, Stream, Verdict, judge, made_up, plain, unbroken

PACE_S = 0.03  # between a phone's frames
BUSIEST = 300  # frames a second of all phones: two cores carry them, phones and judge included
PATIENCE_S = 20.0  # with the last predictions


def pace_of(phones: int) -> float:
    """Return the seconds between a phone's frames where so many stream."""
    return max(PACE_S, phones / BUSIEST)


class Player:
    """A phone with a stream of its own, and what an unbroken run would say to it."""

    def __init__(self, url: str, stream: Stream, artifact: Path, ca: Path | None = None) -> None:
        self.device = stream.device
        self.here = asyncio.Event()
        self.heard: list[Said] = []
        self.sent = 0
        self._url = url
        self._ca = ca
        self._stream = stream
        self._said = unbroken(stream, f"{stream.device}-s", artifact)
        self._missing: set[str] | None = None  # once everything was sent
        self._complete = asyncio.Event()

    @property
    def expected(self) -> list[Said]:
        """What an unbroken run says to the frames that were sent."""
        return [message for said in self._said[: self.sent] for message in said]

    def verdict(self) -> Verdict:
        """Judge what was heard."""
        return judge(self.heard, self.expected)

    async def play(self, over: asyncio.Event, pace_s: float = PACE_S) -> None:
        """Stream until `over`, or to the end; then wait for what is missing, but not for ever."""
        session = f"{self.device}-s"
        encoding: Literal["binary", "json"] = "json" if self._url.startswith("mqtt") else "binary"
        async with Phone(
            self._url, self.device, session=session, encoding=encoding, ca=self._ca
        ) as phone:
            self.here.set()
            listening = asyncio.create_task(self._listen(phone))
            while not over.is_set() and self.sent < len(self._stream.frames):
                await phone.send(*self._stream.frames[self.sent])
                self.sent += 1
                await asyncio.sleep(pace_s)
            await phone.drain()
            assert phone.session_base == 0, "the server forgot what it had acked"
            await self._wait_for_the_rest()
        await listening

    async def _wait_for_the_rest(self) -> None:
        ids = {message["id"] for message in self.expected}
        self._missing = ids - {message["id"] for message in self.heard}
        if self._missing:
            await asyncio.wait([asyncio.create_task(self._complete.wait())], timeout=PATIENCE_S)
        self._complete.set()

    async def _listen(self, phone: Phone) -> None:
        async for message in phone.messages():
            if isinstance(message, Prediction | Started | Ended):
                self.heard.append(plain(message))
                if self._missing is not None:
                    self._missing.discard(message.id)
                    if not self._missing:
                        self._complete.set()


def players(
    urls: Iterable[str], artifact: Path, frames: int, ca: Path | None = None
) -> list[Player]:
    """Return the phones p0, p1, …, one for each URL."""
    return [
        Player(url, made_up(f"p{i}", frames, seed=i), artifact, ca) for i, url in enumerate(urls)
    ]


@asynccontextmanager
async def playing(phones: list[Player], pace_s: float = PACE_S) -> AsyncIterator[None]:
    """Have all phones stream for as long as the context lasts; then wait until they are done."""
    over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for phone in phones:
            tasks.create_task(phone.play(over, pace_s), name=f"plays {phone.device}")
        for phone in phones:
            await phone.here.wait()
        yield
        over.set()


def faults(phones: list[Player]) -> dict[str, Verdict]:
    """Return the verdicts, by device, of phones that did not hear an unbroken run."""
    verdicts = {phone.device: phone.verdict() for phone in phones}
    return {device: verdict for device, verdict in verdicts.items() if verdict != FAULTLESS}


async def until(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    """Wait until something holds that nobody tells."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)
