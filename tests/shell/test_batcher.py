"""Batches: full or due, answered in order, and honest about failure."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest
from numpy.typing import NDArray

from stream import config
from stream.errors import InferenceError
from stream.model.batcher import Answer, Batcher
from stream.model.classifier import Classifier


class Recorder:
    """Answers each window with its first number, and remembers the sizes of batches."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def classify(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        self.sizes.append(len(windows))
        return windows[:, 0, :1]


class Broken:
    """Raises so many times; with `allergy`, whenever a window begins with that number."""

    def __init__(self, times: float, allergy: float | None = None) -> None:
        self.times = times
        self.allergy = allergy

    def classify(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        self.times -= 1
        if self.times >= 0 or self.allergy in windows[:, 0, 0]:
            raise RuntimeError("out of memory")
        return windows[:, 0, :1]


class Stuck:
    """Does not return until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def classify(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        self.let_go.wait(30)
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
        self.stopped.wait(0.2)  # the stop itself waits for this batch
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


def numbers(answers: list[Answer]) -> list[float | None]:
    return [None if isinstance(one, InferenceError) else float(one[0]) for one in answers]


async def heard(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  a thread sets it
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("times", [1, 2, 7])
async def test_a_batch_that_fails_is_tried_again(times: int) -> None:
    async with at_work(Broken(times), config.Batcher(max_batch=4)) as batcher:
        assert numbers(await ask(batcher, 6)) == list(range(6))
        assert batcher.failure is None


async def test_a_model_that_always_fails_says_so_and_the_windows_wait() -> None:
    classifier = Broken(np.inf)
    async with at_work(classifier, config.Batcher(max_batch=4)) as batcher:
        asked = asyncio.create_task(ask(batcher, 6))
        await heard(lambda: batcher.failure is not None)
        assert "out of memory" in str(batcher.failure)
        assert len(batcher) == 6
        classifier.times = 0
        assert numbers(await asked) == list(range(6))
        assert batcher.failure is None


async def test_windows_that_the_model_fails_on_harm_no_others() -> None:
    async with at_work(Broken(0, allergy=2), config.Batcher(max_batch=4)) as batcher:
        assert numbers(await ask(batcher, 6)) == [0, 1, None, 3, 4, 5]
        assert batcher.failure is None


async def test_answers_of_the_wrong_number_are_a_failure() -> None:
    class Short:
        def classify(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
            return windows[1:, 0, :1]

    async with at_work(Short(), config.Batcher()) as batcher:
        batcher.submit(window(0), lambda _: None)
        await heard(lambda: batcher.failure is not None)
        assert "0 answers came for 1 windows" in str(batcher.failure)


async def test_a_model_that_is_stuck_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.model.batcher.STUCK_S", 0.05)
    monkeypatch.setattr("stream.model.batcher.LOOK_S", 0.01)
    classifier = Stuck()
    async with at_work(classifier, config.Batcher()) as batcher:
        asked = asyncio.create_task(ask(batcher, 1))
        await heard(lambda: batcher.failure is not None)
        assert "has not answered for 0.05 s" in str(batcher.failure)
        classifier.let_go.set()
        assert numbers(await asked) == [0]
        assert batcher.failure is None


async def test_a_stop_does_not_wait_for_a_model_that_is_stuck() -> None:
    classifier = Stuck()
    answers: list[Answer] = []
    async with at_work(classifier, config.Batcher(max_batch=1)) as batcher:
        for value in range(3):
            batcher.submit(window(value), answers.append)
        await heard(lambda: batcher._asked_at is not None)
    assert numbers(answers) == [None, None]  # those that were not at work
    classifier.let_go.set()


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
