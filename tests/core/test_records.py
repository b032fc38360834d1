"""Saved anywhere and restored, a session goes on to the bit as if nothing had happened."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from stream.config import Signal, Wire
from stream.errors import ConfigError, DeviceError, JournalError
from stream.journal import records
from stream.journal.records import FileState, FrameInput, LiveState, PushInput, WindowState
from stream.sensor_apps import dialects
from stream.sensor_apps.dialects import sensor_logger
from stream.sensor_apps.intake import Intake
from stream.session import Session, SessionOptions
from stream.signal.window import Window
from stream.wire import NOTHING_TOLD, Frame
from tests.core.streams import (
    ACTIVITIES,
    OPTIONS,
    Outcome,
    cut,
    fake_probabilities,
    random_edges,
    readings,
    rough_times,
    session,
)
from tests.core.test_chunking import incidents
from tests.sensor_logger import entries, message, walk

NO_FILE = FileState("", 0, 0)


class World:
    """A session whose windows wait a while for their answers, as in a service."""

    def __init__(self, patience: int) -> None:
        self.live = session()
        self.intake: Intake | None = None
        self.waiting: list[Window] = []
        self.patience = patience
        self.windows: list[tuple[object, ...]] = []
        self.said: list[Any] = []

    def take(self, body: bytes) -> None:
        found = records.decode_input(body)
        try:
            windows = self._windows(found)
        except DeviceError as error:
            self.said.append(str(error))
            windows = []
        self.said.append(self.live.quality())
        self.windows += [(*window[:5], window.xyz.tobytes()) for window in windows]
        self.waiting += windows
        while len(self.waiting) > self.patience:
            self.answer()

    def _windows(self, found: records.AnyInput) -> list[Window]:
        if isinstance(found, FrameInput):
            return self.live.feed(found.frame(), found.utc, found.default_rate_hz)
        assert isinstance(found, PushInput)
        self.intake = self.intake or Intake("pixel-7", sensor_logger.DIALECT, 40)
        frame = self.intake.feed(found.push, found.told)
        return self.live.feed(frame, found.utc) if frame else []

    def answer(self) -> None:
        window = self.waiting.pop(0)
        self.said.append(self.live.predict(window, fake_probabilities(window)))
        self.said += self.live.decide(self.said[-1])

    def close(self) -> Outcome:
        while self.waiting:
            self.answer()
        self.said += self.live.close()
        return Outcome(self.windows, self.said, [], asdict(self.live.counters))

    def saved(self) -> bytes:
        intake = self.intake.save() if self.intake else None
        waiting = [WindowState.of(window) for window in self.waiting]
        return records.encode(
            LiveState(records.VERSION, self.live.save(), intake, waiting, b"", NO_FILE)
        )

    def killed(self) -> "World":
        """Return another that goes on where this one stands."""
        state = records.decode_live(self.saved())
        other = World(self.patience)
        other.live.restore(state.session)
        if state.intake is not None:
            other.intake = Intake("pixel-7", sensor_logger.DIALECT, 40)
            other.intake.restore(state.intake)
        other.waiting = [window.window() for window in state.waiting]
        other.windows, other.said = list(self.windows), list(self.said)
        return other


def run(inputs: Sequence[bytes], kills: frozenset[int], patience: int) -> Outcome:
    world = World(patience)
    for i, body in enumerate(inputs):
        if i in kills:
            before = world.saved()
            world = world.killed()
            assert world.saved() == before
        world.take(body)
    return world.close()


def same_however_killed(inputs: Sequence[bytes], seed: int, patience: int = 1) -> Outcome:
    whole = run(inputs, frozenset(), patience)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        kills = frozenset(rng.integers(0, len(inputs), rng.integers(1, 6)).tolist())
        assert run(inputs, kills, patience) == whole
    assert run(inputs, frozenset(range(len(inputs))), patience) == whole  # before every input
    return whole


def encoded(frames: Sequence[Frame], rate_hz: float = 20.0) -> list[bytes]:
    utc = 1.79e9
    return [records.encode(records.frame_input(f, rate_hz, utc + i)) for i, f in enumerate(frames)]


@settings(max_examples=40, deadline=None)
@given(
    rate_hz=st.sampled_from([5.0, 9.5, 20.0, 50.0, 100.0]),
    trouble=st.lists(incidents, max_size=5),
    patience=st.integers(0, 3),
    seed=st.integers(0, 2**32),
)
def test_timed_streams(
    rate_hz: float, trouble: list[tuple[str, float, float]], patience: int, seed: int
) -> None:
    n = min(int(rate_hz * 30), 2500)
    t, xyz = rough_times(n, rate_hz, seed, trouble), readings(n, seed)
    edges = random_edges(n, np.random.default_rng(seed))
    same_however_killed(encoded(list(cut(xyz, t, edges))), seed, patience)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 900), rate_hz=st.floats(5, 400), seed=st.integers(0, 2**32))
def test_untimed_streams(n: int, rate_hz: float, seed: int) -> None:
    edges = random_edges(n, np.random.default_rng(seed))
    same_however_killed(encoded(list(cut(readings(n, seed), None, edges)), rate_hz), seed)


def test_a_stream_with_refusals_and_events() -> None:
    frames = list(cut(readings(1500), None, range(0, 1500, 40)))
    frames[10] = frames[10]._replace(t=np.arange(40) / 20)  # refused as mixed-time
    frames[20] = frames[20]._replace(seq=25)  # skips some, and later ones are repeats
    whole = same_however_killed(encoded(frames), 1)
    assert any("frame with time" in str(said) for said in whole.predictions)
    assert len(whole.windows) == (1500 - 6 * 40 - 200) // 40 + 1


@pytest.mark.parametrize("style", ["android", "ios"])
def test_an_app(style: Any) -> None:
    samples = walk(30)
    gravity = np.tile([0, 9.8, 0], (len(samples), 1))
    pushes = [
        sensor_logger.read(
            message(i, entries(samples[a : a + 70], style, gravity=gravity[a : a + 70], t=a / 100)),
            Wire(),
        )
        for i, a in enumerate(range(0, len(samples), 70))
    ]
    pushes[5:7] = reversed(pushes[5:7])  # which the intake puts in order
    inputs = [
        records.encode(PushInput("sensor-logger", push, NOTHING_TOLD, 1.79e9)) for push in pushes
    ]
    assert len(same_however_killed(inputs, 2).windows) >= 8


def test_a_break_off_is_kept() -> None:
    world = World(0)
    frames = encoded(list(cut(readings(800), None, range(0, 800, 20))))
    for body in frames[:15]:
        world.take(body)
    world.live.break_off()
    world = world.killed()
    for body in frames[15:]:
        world.take(body)
    assert [window[0] for window in world.windows][:3] == [0, 1, 2]
    assert [window[0] for window in world.windows][3] == 8


def test_another_grid_is_refused() -> None:
    state = session().save()
    other = Session("pixel-7", "s1", SessionOptions(ACTIVITIES, "m", Signal(hop=20)))
    with pytest.raises(ConfigError, match="hop=20"):
        other.restore(state)


def test_what_another_version_wrote_is_refused() -> None:
    state = LiveState(99, Session("a", "b", OPTIONS).save(), None, [], b"", NO_FILE)
    with pytest.raises(JournalError, match="version 99"):
        records.decode_live(records.encode(state))
    with pytest.raises(JournalError, match="not what the journal writes"):
        records.decode_live(b"junk")


def test_every_dialect_is_found_by_its_name() -> None:
    modules = (v for v in vars(dialects).values() if hasattr(v, "DIALECT"))
    assert {module.DIALECT.name for module in modules} == set(dialects.BY_NAME)
