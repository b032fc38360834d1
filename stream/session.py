"""One device's live stream: frames in, windows out; predictions in, activity events out.

The whole core behind one door. It knows no socket, task, clock or log: arrival times come in with
the frames, and what comes out depends on the samples alone.
"""

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream.config import Signal
from stream.config import Tracker as TrackerOptions
from stream.errors import ConfigError
from stream.events import ActivityEvent, Ended, Prediction, Quality, Started
from stream.journal.records import SessionState
from stream.labels import Labeller
from stream.signal.quality import Monitor, Verdict
from stream.signal.resample import Counters, Resampler, Stretch
from stream.signal.timeline import Timeline
from stream.signal.window import Window, Windower
from stream.tracker import Tracker, Transition, choose
from stream.wire import Frame
from stream.wire.incoming import Label
from stream.wire.text import Axes


class SessionOptions(msgspec.Struct, frozen=True):
    """What all sessions of a service share."""

    activities: tuple[str, ...]  # in the order of the model's outputs
    model: str
    signal: Signal = Signal()
    tracker: TrackerOptions = TrackerOptions()
    expires_s: float = 600.0


class Session:
    """A device's stream from its first frame to close or expiry.

    `feed` raises DeviceError for a frame that doesn't fit the session; such a frame is consumed
    (its `seq` counts) and changes nothing else.
    """

    def __init__(self, device: str, session: str, options: SessionOptions) -> None:
        self.device, self.id = device, session
        self.next_seq = 0
        self._options = options
        self._timeline = Timeline()
        self._resampler = Resampler(options.signal)
        self._windower = Windower(options.signal)
        self._tracker = Tracker(options.tracker, options.signal, options.expires_s)
        self._monitor = Monitor()
        self.labels = Labeller(options.signal.max_gap_s)
        self.axes: Axes = "android"  # the signs that its numbers come with
        self.fresh: list[Stretch] = []  # the grid samples that the newest frame completed
        self._last: float | None = None  # device time of the newest sample, in s

    def save(self) -> SessionState:
        """Return all that it remembers, for `restore`."""
        own = (self._options.signal, self.next_seq, self.axes, self._last)
        return SessionState(
            *own,
            timeline=self._timeline.save(),
            resampler=self._resampler.save(),
            windower=self._windower.save(),
            tracker=self._tracker.save(),
            monitor=self._monitor.save(),
            labels=self.labels.save(),
        )

    def restore(self, state: SessionState) -> None:
        """Go on where `state` was saved, to the bit as if there had been no break.

        Raises ConfigError where that was on another grid.
        """
        if state.signal != self._options.signal:
            raise ConfigError(f"it began with {state.signal}, now {self._options.signal} holds")
        self.next_seq, self.axes, self._last = state.next_seq, state.axes, state.last
        self._timeline.restore(state.timeline)
        self._resampler.restore(state.resampler)
        self._windower.restore(state.windower)
        self._tracker.restore(state.tracker)
        self._monitor.restore(state.monitor)
        self.labels.restore(state.labels)

    @property
    def grid_hz(self) -> float:
        """The rate of the grid."""
        return self._options.signal.grid_hz

    @property
    def activity(self) -> str:
        """The confirmed activity."""
        return self._tracker.activity

    @property
    def counters(self) -> Counters:
        """What was dropped or missing so far."""
        return self._resampler.counters

    def consume(self, seq: int | None) -> bool:
        """Count a frame; False if it was taken before. Skipped ones are given up."""
        if seq is None:
            return True
        if seq < self.next_seq:
            return False
        self._monitor.skipped += seq - self.next_seq
        self.next_seq = seq + 1
        return True

    def feed(self, frame: Frame, arrived: float = 0.0, rate_hz: float = 20.0) -> list[Window]:
        """Take a frame that arrived at `arrived` s since 1970; return the windows it completes.

        `rate_hz` counts where neither the frame nor the timed session so far says.
        """
        self.fresh = []
        if not self.consume(frame.seq):
            return []
        t = self._timeline.place(frame, rate_hz)
        if frame.axes != self.axes and self._last is not None:
            self.break_off()  # no window holds both signs
        self.axes, self._monitor.note = frame.axes, frame.note
        self._monitor.feed(t, frame.xyz)
        self.labels.feed(t, frame.xyz)
        self.fresh = self._stretches(t, frame.xyz, arrived)
        if self._last is None:
            self._tracker.since = float(t[0])
        self._last = float(t[-1])
        return [window for stretch in self.fresh for window in self._windower.feed(stretch)]

    def label(self, label: Label) -> bool:
        """Take a label; False if it was taken before. Raises DeviceError for one too many."""
        if not self.consume(label.seq):
            return False
        self.labels.label(label.t, label.label, label.seq)
        return True

    def _stretches(
        self, t: NDArray[np.float64], xyz: NDArray[np.float32], arrived: float
    ) -> list[Stretch]:
        if not self._timeline.timed and self._timeline.rate_hz == self.grid_hz:
            return self._resampler.feed_on_grid(xyz, arrived)
        return self._resampler.feed(t, xyz, arrived)

    def predict(
        self, window: Window, probabilities: NDArray[np.floating], latency_ms: float = 0.0
    ) -> Prediction:
        """Word the model's answer, probabilities (classes,), for one of this session's windows."""
        names = self._options.activities
        return Prediction(
            id=f"{self.device}/{self.id}/{window.number}",
            device=self.device,
            session=self.id,
            window=window.number,
            start=window.start,
            end=window.end,
            t=window.t,
            time=_utc(window.utc),
            activity=choose(probabilities, names, self._options.tracker.min_confidence),
            confidence=float(probabilities.max()),
            probabilities=dict(zip(names, probabilities.tolist(), strict=True)),
            model=self._options.model,
            latency_ms=round(latency_ms, 3),
        )

    def decide(self, prediction: Prediction) -> list[ActivityEvent]:
        """Take this session's predictions in order; return the activity events that follow."""
        events: list[ActivityEvent] = []
        for change in self._tracker.decide(prediction):
            # A clock may run back, or on by ages; then all ends where the newest window begins.
            t = change.t if change.t <= prediction.t[1] else prediction.t[0]
            ago_s = prediction.t[1] - t
            time = prediction.time - timedelta(seconds=min(ago_s, prediction.time.timestamp()))
            events += [
                change.ended(self.device, self.id, str(prediction.window), time),
                self._started(prediction, change, time),
            ]
        return events

    def close(self) -> list[Ended]:
        """End the session's activity; nothing is flushed."""
        if self._last is None:
            return []
        t, utc = self._last, self._resampler.utc_at(self._last)
        change = Transition(self.activity, "", t, min(self._tracker.since, t))
        return [change.ended(self.device, self.id, "close", _utc(utc))]

    @property
    def complaint(self) -> str:
        """What was last said to be wrong with the signal; empty while it is good."""
        return self._monitor.complaint

    def mean_z(self) -> tuple[float, float]:
        """Return z's mean in m/s² over the last seconds, and its share of the readings' RMS."""
        return self._monitor.mean_z()

    def break_off(self) -> None:
        """Let windows begin anew, since samples to come have other signs than those before."""
        self._resampler.break_off()
        self._monitor.start_over()
        self.labels.break_off()

    def quality(self) -> Quality | None:
        """Return what to tell the device about its signal, or None where nothing changed."""
        return self._quality(self._monitor.verdict(self.counters.gaps, self.counters.late))

    def judged(self) -> Quality | None:
        """Return what was last told."""
        return self._quality(self._monitor.said)

    def _quality(self, verdict: Verdict | None) -> Quality | None:
        if verdict is None:
            return None
        return Quality(
            device=self.device,
            session=self.id,
            state="good" if verdict.good else "poor",
            rate_hz=verdict.rate_hz,
            gaps=verdict.gaps,
            late=verdict.late,
            advice=verdict.advice,
        )

    def _started(self, prediction: Prediction, change: Transition, time: datetime) -> Started:
        return Started(
            id=f"{prediction.id}/started",
            device=self.device,
            session=self.id,
            activity=change.after,
            previous=change.before,
            t=change.t,
            time=time,
            confidence=prediction.confidence,
        )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
