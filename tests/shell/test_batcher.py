"""Batches: full or due, answered in order, and honest about failure."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest
from numpy.typing import NDArray

from stream import config
from stream.batcher import Answer, Batcher
from stream.classifier import Classifier
from stream.errors import InferenceError


class Recorder:
    """Answers each window with its first number, and remembers the sizes of batches."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def classify(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        self.sizes.append(len(windows))
        return windows[:, 0, :1]


class Broken:
    def __init__(self) -> None:
        self.broken = True

    def classify(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.broken:
            raise RuntimeError("out of memory")
        return windows[:, 0, :1]


@asynccontextmanager
async def at_work(classifier: Classifier, options: config.Batcher) -> AsyncIterator[Batcher]:
    batcher = Batcher(classifier, options)
    task = asyncio.create_task(batcher.run())
    yield batcher
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


class Stopper:
    """Stops the batcher during the first batch, and finishes it once the stop is on its way."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.task: asyncio.Task[None] | None = None
        self.stopped = threading.Event()

    def stop(self) -> None:
        assert self.task is not None
        self.task.cancel()
        self.loop.call_soon(self.stopped.set)

    def classify(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        self.loop.call_soon_threadsafe(self.stop)
        self.stopped.wait(0.5)  # the stop itself waits for this batch
        return windows[:, 0, :1]


def window(value: float) -> NDArray[np.float32]:
    return np.full((200, 3), value, np.float32)


async def ask(batcher: Batcher, count: int) -> list[Answer]:
    answers: list[Answer] = []
    for value in range(count):
        batcher.submit(window(value), answers.append)
    async with asyncio.timeout(10):
        await batcher.drained()
    return answers


async def test_answers_come_in_order() -> None:
    async with at_work(Recorder(), config.Batcher(max_batch=8)) as batcher:
        answers = await ask(batcher, 50)
    assert [float(np.asarray(answer)[0]) for answer in answers] == list(range(50))


async def test_a_full_batch_does_not_wait() -> None:
    recorder = Recorder()
    async with at_work(recorder, config.Batcher(max_batch=4, max_wait_ms=1e6)) as batcher:
        await ask(batcher, 8)
    assert recorder.sizes == [4, 4]


async def test_a_single_window_leaves_after_its_wait() -> None:
    recorder = Recorder()
    async with at_work(recorder, config.Batcher(max_batch=64, max_wait_ms=1)) as batcher:
        await ask(batcher, 1)
    assert recorder.sizes == [1]


async def test_failure_is_told_to_everyone_and_forgotten_after_success() -> None:
    classifier = Broken()
    async with at_work(classifier, config.Batcher(max_batch=4)) as batcher:
        answers = await ask(batcher, 6)
        assert all(isinstance(answer, InferenceError) for answer in answers)
        assert "out of memory" in str(batcher.failure)
        classifier.broken = False
        assert not isinstance((await ask(batcher, 1))[0], InferenceError)
        assert batcher.failure is None


async def test_a_stop_tells_who_still_waits() -> None:
    stopper = Stopper()
    batcher = Batcher(stopper, config.Batcher(max_batch=1))
    answers: list[Answer] = []
    for value in range(3):
        batcher.submit(window(value), answers.append)
    stopper.task = asyncio.create_task(batcher.run())
    with pytest.raises(asyncio.CancelledError):
        await stopper.task
    await batcher.drained()
    told = [isinstance(answer, InferenceError) for answer in answers]
    assert sorted(told) == [False, True, True]


async def test_room_is_given_when_the_queue_shrinks() -> None:
    batcher = Batcher(Recorder(), config.Batcher(max_batch=2, max_queue=3))
    answers: list[Answer] = []
    for value in range(3):
        batcher.submit(window(value), answers.append)
    assert batcher.full
    task = asyncio.create_task(batcher.run())
    async with asyncio.timeout(10):
        await batcher.room()
    assert not batcher.full
    task.cancel()
