"""Windows of all devices share the model's batches; inference has a thread of its own."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream import config
from stream.errors import InferenceError, OverloadedError
from stream.model.classifier import Classifier

Answer = NDArray[np.float32] | InferenceError  # probabilities (classes,)
Deliver = Callable[[Answer], None]
STUCK_S = 10.0  # a batch that takes so long is a failure, though it may still come
LOOK_S = 0.5  # between looks for one
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0  # between attempts at a batch that fails
ATTEMPTS = 4  # at windows that fail where others get an answer
STOP_S = 0.5  # how long a stop waits for the batch at work


class _Waiter(NamedTuple):
    xyz: NDArray[np.float32]  # (window, 3)
    deliver: Deliver
    since: float  # monotonic s


class Batcher:
    """Collects windows until a batch is full or its first window has waited `max_wait_ms`.

    The thread collects by itself, so that a busy event loop delays answers but never the model.
    Answers come in the order of submission, on the event loop. Where the classifier raises, the
    batch is tried again until it answers, and all others wait; only windows that it fails on
    while it answers for others are told, as InferenceError. What is wrong stands in `failure`
    until a batch succeeds, and so does a batch that takes longer than `STUCK_S`. `submit` never
    refuses; who submits asks `full` first, or awaits `room`.
    """

    def __init__(self, classifier: Classifier, options: config.Batcher) -> None:
        self.failure: InferenceError | None = None
        self._classifier = classifier
        self._options = options
        self._waiting: deque[_Waiter] = deque()
        self._news = threading.Condition()  # guards `_waiting`; told of a first and a last window
        self._unanswered = 0
        self._stopping = False
        self._asked_at: float | None = None  # monotonic s, while a batch is at work
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
        """Answer windows until cancelled; then the rest are told, but for a batch that is stuck."""
        loop = asyncio.get_running_loop()
        # A daemon, so that a classifier that never returns does not keep the process alive.
        thread = threading.Thread(target=self._work, args=(loop,), name="inference", daemon=True)
        thread.start()
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                self._look()
        finally:
            with self._news:
                self._stopping = True
                self._news.notify()
            thread.join(STOP_S)
            self._tell_the_rest()

    def _look(self) -> None:
        """See whether the batch at work is stuck."""
        asked_at = self._asked_at
        if asked_at is not None and time.monotonic() - asked_at > STUCK_S:
            self.failure = InferenceError(f"the model has not answered for {STUCK_S:g} s")

    def _tell_the_rest(self) -> None:
        rest = list(self._waiting)
        self._waiting.clear()
        self._deliver(rest, [InferenceError("the service is stopping")] * len(rest))

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer batch after batch; this is the thread."""
        while batch := self._collect():
            answers = self._ask(batch)
            with suppress(RuntimeError):  # the loop is closed: the batch was stuck during a stop
                loop.call_soon_threadsafe(self._deliver, batch, answers)

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

    def _ask(self, batch: list[_Waiter]) -> list[Answer]:
        """Try until there is an answer for each, or it is clear whose fault it is."""
        pause_s, attempts = FIRST_PAUSE_S, 0
        while not self._stopping:
            answers = self._classify(np.stack([waiter.xyz for waiter in batch]))
            if not isinstance(answers, InferenceError):
                return list(answers)
            self.failure = answers
            attempts += self._answers_others(batch)
            if attempts >= ATTEMPTS:
                return [answers] if len(batch) == 1 else [self._ask([one])[0] for one in batch]
            with self._news:
                self._news.wait_for(lambda: self._stopping, pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        return [InferenceError("the service is stopping")] * len(batch)

    def _answers_others(self, batch: list[_Waiter]) -> bool:
        """Whether the classifier works, so that a failure is these windows' own."""
        still = self._classify(np.zeros((1, *batch[0].xyz.shape), np.float32))
        return not isinstance(still, InferenceError)

    def _classify(self, windows: NDArray[np.float32]) -> NDArray[np.float32] | InferenceError:
        self._asked_at = time.monotonic()
        try:
            answers = self._classifier.classify(windows)
            if len(answers) != len(windows):
                raise InferenceError(f"{len(answers)} answers came for {len(windows)} windows")
            return answers
        except Exception as error:  # noqa: BLE001  whatever it is, the others go on
            return InferenceError(f"the model fails: {error}")
        finally:
            self._asked_at = None

    def _deliver(self, batch: list[_Waiter], answers: list[Answer]) -> None:
        if not all(isinstance(answer, InferenceError) for answer in answers):
            self.failure = None
        self._unanswered -= len(batch)
        for waiter, answer in zip(batch, answers, strict=True):
            waiter.deliver(answer)
        if not self.full:
            self._room.set()
        if not self._unanswered:
            self._idle.set()
