"""Windows of all devices share the model's batches; inference has a thread of its own."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream import config
from stream.classifier import Classifier
from stream.errors import InferenceError, OverloadedError

Answer = NDArray[np.float32] | InferenceError  # probabilities (classes,)
Deliver = Callable[[Answer], None]


class _Waiter(NamedTuple):
    xyz: NDArray[np.float32]  # (window, 3)
    deliver: Deliver
    since: float  # monotonic s


class Batcher:
    """Collects windows until a batch is full or its first window has waited `max_wait_ms`.

    The thread collects by itself, so that a busy event loop delays answers but never the model.
    Answers come in the order of submission, on the event loop. Whatever the classifier raises is
    told to every window of the batch as InferenceError, and stands in `failure` until a batch
    succeeds. `submit` never refuses; who submits asks `full` first, or awaits `room`.
    """

    def __init__(self, classifier: Classifier, options: config.Batcher) -> None:
        self.failure: InferenceError | None = None
        self._classifier = classifier
        self._options = options
        self._waiting: deque[_Waiter] = deque()
        self._news = threading.Condition()  # guards `_waiting`; told of a first and a last window
        self._unanswered = 0
        self._stopping = False
        self._room = asyncio.Event()
        self._idle = asyncio.Event()
        self._room.set()
        self._idle.set()

    def __len__(self) -> int:
        return self._unanswered

    def check_room(self) -> None:
        """Raise OverloadedError where no more windows may wait."""
        if self.full:
            raise OverloadedError(f"{len(self)} windows wait for the model; try later")

    @property
    def full(self) -> bool:
        """Whether as many windows wait as may."""
        return self._unanswered >= self._options.max_queue

    async def room(self) -> None:
        """Wait until the queue is not full."""
        await self._room.wait()

    async def drained(self) -> None:
        """Wait until every submitted window has been answered."""
        await self._idle.wait()

    def submit(self, xyz: NDArray[np.float32], deliver: Deliver) -> None:
        """Queue a window (window, 3); `deliver` is called once with its answer."""
        self._unanswered += 1
        self._idle.clear()
        if self.full:
            self._room.clear()
        with self._news:
            self._waiting.append(_Waiter(xyz, deliver, time.monotonic()))
            # Every wake-up of the thread costs the event loop a turn, so not one for each window.
            if len(self._waiting) in {1, self._options.max_batch}:
                self._news.notify()

    async def run(self) -> None:
        """Answer windows until cancelled; then the rest are told."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="inference") as thread:
            try:
                await loop.run_in_executor(thread, self._work, loop)
            finally:
                with self._news:
                    self._stopping = True
                    self._news.notify()
                thread.shutdown()
                self._tell_the_rest()

    def _tell_the_rest(self) -> None:
        rest = list(self._waiting)
        self._waiting.clear()
        self._deliver(rest, InferenceError("the service is stopping"))

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer batch after batch; this is the thread."""
        while batch := self._collect():
            loop.call_soon_threadsafe(self._deliver, batch, self._classify(batch))

    def _collect(self) -> list[_Waiter]:
        """Wait for a window, and for others to join it; nothing more once stopping."""
        size = self._options.max_batch
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._stopping)
            if self._stopping:
                return []
            wait_s = self._waiting[0].since + self._options.max_wait_ms / 1000 - time.monotonic()
            self._news.wait_for(lambda: len(self._waiting) >= size or self._stopping, wait_s)
            return [self._waiting.popleft() for _ in range(min(size, len(self._waiting)))]

    def _classify(self, batch: list[_Waiter]) -> NDArray[np.float32] | InferenceError:
        try:
            return self._classifier.classify(np.stack([waiter.xyz for waiter in batch]))
        except Exception as error:  # noqa: BLE001  whatever it is, those who wait must hear of it
            return InferenceError(f"{len(batch)} windows got no answer: {error}")

    def _deliver(self, batch: list[_Waiter], answers: NDArray[np.float32] | InferenceError) -> None:
        self.failure = answers if isinstance(answers, InferenceError) else None
        self._unanswered -= len(batch)
        for i, waiter in enumerate(batch):
            waiter.deliver(answers if isinstance(answers, InferenceError) else answers[i])
        if not self.full:
            self._room.set()
        if not self._unanswered:
            self._idle.set()
