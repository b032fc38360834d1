"""Windows of all devices share the model's batches; inference has a thread of its own."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream import config
from stream.classifier import Classifier
from stream.errors import InferenceError

Answer = NDArray[np.float32] | InferenceError  # probabilities (classes,)
Deliver = Callable[[Answer], None]


class _Waiter(NamedTuple):
    xyz: NDArray[np.float32]  # (window, 3)
    deliver: Deliver
    since: float  # loop time in s


class Batcher:
    """Collects windows until a batch is full or its first window has waited `max_wait_ms`.

    Answers come in the order of submission, on the event loop. Whatever the classifier raises
    is told to every window of the batch as InferenceError, and stands in `failure` until a batch
    succeeds. `submit` never refuses; who submits asks `full` first, or awaits `room`.
    """

    def __init__(self, classifier: Classifier, options: config.Batcher) -> None:
        self.failure: InferenceError | None = None
        self.batches = 0
        self._classifier = classifier
        self._options = options
        self._waiting: deque[_Waiter] = deque()
        self._some = asyncio.Event()
        self._batch_ready = asyncio.Event()
        self._room = asyncio.Event()
        self._idle = asyncio.Event()
        self._room.set()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether as many windows wait as may."""
        return len(self._waiting) >= self._options.max_queue

    async def room(self) -> None:
        """Wait until the queue is not full."""
        await self._room.wait()

    async def drained(self) -> None:
        """Wait until every submitted window has been answered."""
        await self._idle.wait()

    def submit(self, xyz: NDArray[np.float32], deliver: Deliver) -> None:
        """Queue a window (window, 3); `deliver` is called once with its answer."""
        self._waiting.append(_Waiter(xyz, deliver, asyncio.get_running_loop().time()))
        self._idle.clear()
        self._some.set()
        if len(self._waiting) >= self._options.max_batch:
            self._batch_ready.set()
        if self.full:
            self._room.clear()

    async def run(self) -> None:
        """Answer windows until cancelled; then the rest are told."""
        with ThreadPoolExecutor(1, thread_name_prefix="inference") as thread:
            try:
                while True:
                    await self._gather()
                    await self._answer(thread)
            finally:
                self._tell(list(self._waiting), InferenceError("the service is stopping"))
                self._waiting.clear()

    async def _gather(self) -> None:
        """Wait for a full batch, or for as long as the first window may wait."""
        await self._some.wait()
        deadline = self._waiting[0].since + self._options.max_wait_ms / 1000
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self._batch_ready.wait()

    async def _answer(self, thread: ThreadPoolExecutor) -> None:
        batch = self._take()
        windows = np.stack([waiter.xyz for waiter in batch])
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(thread, self._classifier.classify, windows)
        except asyncio.CancelledError:
            self._tell(batch, InferenceError("the service is stopping"))
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, those who wait must hear of it
            self.failure = InferenceError(f"{len(batch)} windows got no answer: {error}")
            self._tell(batch, self.failure)
        else:
            self.failure = None
            for waiter, probabilities in zip(batch, answers, strict=True):
                waiter.deliver(probabilities)
        self.batches += 1
        if not self._waiting:
            self._idle.set()

    def _take(self) -> list[_Waiter]:
        size = min(len(self._waiting), self._options.max_batch)
        batch = [self._waiting.popleft() for _ in range(size)]
        if not self._waiting:
            self._some.clear()
        if len(self._waiting) < self._options.max_batch:
            self._batch_ready.clear()
        if not self.full:
            self._room.set()
        return batch

    @staticmethod
    def _tell(batch: list[_Waiter], error: InferenceError) -> None:
        for waiter in batch:
            waiter.deliver(error)
