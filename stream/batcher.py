"""Windows of all devices share the model's batches; inference has a thread of its own."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
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
        self._queue: SimpleQueue[_Waiter | None] = SimpleQueue()
        self._unanswered = 0
        self._stopping = False
        self._room = asyncio.Event()
        self._idle = asyncio.Event()
        self._room.set()
        self._idle.set()

    def __len__(self) -> int:
        return self._unanswered

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
        self._queue.put(_Waiter(xyz, deliver, time.monotonic()))

    async def run(self) -> None:
        """Answer windows until cancelled; then the rest are told."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="inference") as thread:
            try:
                await loop.run_in_executor(thread, self._work, loop)
            finally:
                self._stopping = True
                self._queue.put(None)  # wakes the thread
                thread.shutdown()
                self._tell_the_rest()

    def _tell_the_rest(self) -> None:
        stopping = InferenceError("the service is stopping")
        while not self._queue.empty():
            waiter = self._queue.get()
            if waiter is not None:
                self._deliver([waiter], stopping)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer batch after batch; this is the thread."""
        while not self._stopping:
            batch = self._collect()
            if batch:
                loop.call_soon_threadsafe(self._deliver, batch, self._classify(batch))

    def _collect(self) -> list[_Waiter]:
        """Wait for a window, and for others to join it."""
        first = self._queue.get()
        if first is None:
            return []
        batch, deadline = [first], first.since + self._options.max_wait_ms / 1000
        while len(batch) < self._options.max_batch:
            try:
                waiter = self._queue.get(timeout=max(deadline - time.monotonic(), 0))
            except Empty:
                break
            if waiter is None:
                break
            batch.append(waiter)
        return batch

    def _classify(self, batch: list[_Waiter]) -> NDArray[np.float32] | InferenceError:
        try:
            return self._classifier.classify(np.stack([waiter.xyz for waiter in batch]))
        except Exception as error:  # noqa: BLE001  whatever it is, those who wait must hear of it
            return InferenceError(f"{len(batch)} windows got no answer: {error}")

    def _deliver(
        self, batch: list[_Waiter], answers: NDArray[np.float32] | InferenceError
    ) -> None:
        self.failure = answers if isinstance(answers, InferenceError) else None
        self._unanswered -= len(batch)
        for i, waiter in enumerate(batch):
            waiter.deliver(answers if isinstance(answers, InferenceError) else answers[i])
        if not self.full:
            self._room.set()
        if not self._unanswered:
            self._idle.set()
