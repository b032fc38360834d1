"""A session in any order of what can happen to it says what it says of the same samples uncut."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import asdict

from stream.events import Ended, Prediction, Started
from stream.journal import records
from stream.wire import Frame
from tests.core.streams import Outcome, readings, run
from tests.core.test_records import World

SECONDS = st.floats(0.05, 20)
SNAPSHOTS = 5  # the oldest go, as in the journal


class Streaming(RuleBasedStateMachine):
    """Samples queue up at the phone; they go out in frames, are lost with the server, come again.

    `t` and `xyz` are the model: all samples that were sent, in the order of their arrival.
    """

    @initialize(
        rate_hz=st.sampled_from([9.5, 20.0, 31.7, 50.0, 100.0]),
        timed=st.sampled_from([True, True, False]),
        patience=st.integers(0, 3),
        seed=st.integers(0, 2**16),
    )
    def begin(self, rate_hz: float, timed: bool, patience: int, seed: int) -> None:
        self.rate_hz, self.timed = rate_hz, timed
        self.rng = np.random.default_rng(seed)
        self.signal = readings(120_000, seed)
        self.world = World(patience)
        self.snapshots = [(0, self.world.killed())]
        self.inputs: list[bytes] = []
        self.seq = self.sent = 0  # the next frame's number; samples that went out
        self.clock = 12.3  # device time in s
        self.t = np.empty(0)
        self.ran_back = False

    @rule(seconds=SECONDS, jitter=st.sampled_from([0.0, 0.4]))
    def walk(self, seconds: float, jitter: float) -> None:
        n = max(int(seconds * self.rate_hz), 1)
        steps = np.arange(1, n + 1) + self.rng.uniform(-jitter, jitter, n)
        self.t = np.concatenate([self.t, self.clock + steps / self.rate_hz])
        self.clock += n / self.rate_hz

    @rule(seconds=st.floats(5, 40), cuts=st.integers(0, 9), restart=st.booleans())
    def stream(self, seconds: float, cuts: int, restart: bool) -> None:
        """Walk and send, as phones do most of the time."""
        self.walk(seconds, 0.4)
        self.send(cuts, 0.97)
        if restart:
            self.restart(SNAPSHOTS)

    @precondition(lambda self: self.timed)
    @rule(seconds=st.sampled_from([0.3, 0.95, 1.0, 1.05, 2.7, 11.0, 650.0]))
    def gap(self, seconds: float) -> None:
        self.clock += seconds

    @precondition(lambda self: self.timed)
    @rule(seconds=st.sampled_from([0.2, 0.9, 1.1, 30.0, 1000.0]))
    def clock_runs_back(self, seconds: float) -> None:
        self.clock -= seconds
        self.ran_back = True

    @precondition(lambda self: self.timed and len(self.t) > 1)
    @rule(back_s=st.floats(0, 0.99), exactly=st.booleans())
    def late_or_twice(self, back_s: float, exactly: bool) -> None:
        """A sample comes late: between two that came before it, or at the time of one."""
        back = min(int(back_s * self.rate_hz) + 1, len(self.t))
        t = self.t[-back]
        self.t = np.append(self.t, t if exactly else t - 0.3 / self.rate_hz)

    @precondition(lambda self: self.sent < len(self.t))
    @rule(cuts=st.integers(0, 6), until=st.floats(0, 1))
    def send(self, cuts: int, until: float) -> None:
        """Cut what waits into frames; the end of it may go on waiting."""
        waiting = len(self.t) - self.sent
        count = max(int(waiting * until), 1)
        edges = sorted({0, count, *self.rng.integers(0, count, cuts).tolist()})
        begin = self.sent
        for i, j in pairwise(edges):
            self._take(Frame(self.seq, *self._samples(begin + i, begin + j)))
        self.sent = begin + count

    @precondition(lambda self: self.inputs)
    @rule(which=st.integers(0, 2**16))
    def repeat(self, which: int) -> None:
        """A frame comes again, perhaps with other samples: nothing of it counts."""
        before = records.encode(self.world.live.save())
        seq = which % self.world.live.next_seq
        self._take(Frame(seq, *self._samples(0, min(len(self.t), 50))))
        assert records.encode(self.world.live.save()) == before

    @rule(skipped=st.integers(1, 5))
    def give_up_frames(self, skipped: int) -> None:
        self.seq += skipped

    @precondition(lambda self: not self.timed and self.sent)
    @rule()
    def mixed_times(self) -> None:
        """A frame with times is refused here: its number counts, its samples don't."""
        self._take(Frame(self.seq, np.array([1.0]), None, self.signal[:1]))
        assert "a frame with time" in str(self.world.said)

    @rule()
    def snapshot(self) -> None:
        self.snapshots = [*self.snapshots, (len(self.inputs), self.world.killed())][-SNAPSHOTS:]

    @rule(which=st.integers(0, SNAPSHOTS))
    def restart(self, which: int) -> None:
        """The server dies: a snapshot is restored, and fed again what came after it."""
        kept = [(len(self.inputs), self.world), *reversed(self.snapshots)]
        since, saved = kept[(SNAPSHOTS - which) % len(kept)]
        found = saved.killed()
        for body in self.inputs[since:]:
            found.take(body)
        assert found.saved() == self.world.saved()
        assert (found.windows, found.said) == (self.world.windows, self.world.said)
        self.world = found

    @invariant()
    def windows_follow_each_other(self) -> None:
        windows: list[Any] = self.world.windows if hasattr(self, "world") else []
        for (number, start, end, t, *_), (later, later_start, _, later_t, *_) in pairwise(windows):
            assert (start, end) == (number * 40, number * 40 + 200)
            assert number < later
            assert start < later_start
            assert self.ran_back or t[0] < later_t[0]

    @invariant()
    def activities_alternate(self) -> None:
        said = self.world.said if hasattr(self, "world") else []
        events = [one for one in said if isinstance(one, Started | Ended)]
        activity = "Unknown"
        for ended, started in zip(events[::2], events[1::2], strict=True):
            assert isinstance(ended, Ended)
            assert isinstance(started, Started)
            assert ended.activity == activity == started.previous != started.activity
            assert ended.t == started.t
            assert ended.started_t <= ended.t
            activity = started.activity
        assert self.ran_back or all(one.t <= other.t for one, other in pairwise(events))

    def teardown(self) -> None:
        """Send the rest: all is as if the samples had come in one piece, without a break."""
        if not hasattr(self, "world") or not len(self.t):
            return
        if self.sent < len(self.t):
            self.send(0, 1.0)
        self.world.close()
        said = self.world.said
        predictions = [one for one in said if isinstance(one, Prediction)]
        events = [one for one in said if isinstance(one, Started | Ended)]
        counters = asdict(self.world.live.counters)
        found = Outcome(self.world.windows, predictions, events, counters)
        assert found == run([Frame(None, *self._samples(0, len(self.t)))], self.rate_hz)

    def _samples(self, begin: int, end: int) -> tuple[Any, None, Any]:
        t = self.t[begin:end] if self.timed else None
        return t, None, self.signal[begin:end]

    def _take(self, frame: Frame) -> None:
        body = records.encode(records.frame_input(frame, self.rate_hz, 0.0))
        self.inputs.append(body)
        self.seq = max(self.seq, (frame.seq or 0) + 1)
        self.world.take(body)


def drawn(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        phases=set(Phase) - {Phase.explain},
    )


def test_a_session_is_as_if_uncut() -> None:
    run_state_machine_as_test(Streaming, settings=drawn(45))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_session_is_as_if_uncut_at_length() -> None:
    run_state_machine_as_test(Streaming, settings=drawn(2000))
