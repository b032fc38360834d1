"""Predictions become confirmed activities: with hysteresis, and starts dated back."""

from datetime import datetime
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream import config
from stream.events import UNKNOWN, Ended, Prediction


def choose(
    probabilities: NDArray[np.floating], activities: tuple[str, ...], min_confidence: float
) -> str:
    """Name the activity of one window from its probabilities (classes,), or `Unknown`.

    Decides on four decimals, so that the last bits of a batch never change an activity.
    """
    rounded = [round(value, 4) for value in probabilities.tolist()]
    best = max(rounded)
    return activities[rounded.index(best)] if best >= min_confidence else UNKNOWN


def weight(prediction: Prediction, min_confidence: float) -> float:
    """Return how much a prediction says for its activity, 0 to 1, on four decimals.

    Its confidence; `Unknown`'s is a quarter to a half, by how far the best activity falls short:
    windows across a change of activity explain nothing, and pass.
    """
    confidence = round(prediction.confidence, 4)
    if prediction.activity != UNKNOWN:
        return confidence
    return (1 - confidence / min_confidence / 2) / 2


class Transition(NamedTuple):
    """A change of activity, `before` → `after`, at device time `t` in s."""

    before: str
    after: str
    t: float
    before_since: float  # device time in s

    def ended(self, device: str, session: str, key: str, time: datetime) -> Ended:
        """Return the event that ends what came before; `key` makes its id."""
        return Ended(
            id=f"{device}/{session}/{key}/ended",
            device=device,
            session=session,
            activity=self.before,
            t=self.t,
            started_t=self.before_since,
            duration_s=round(self.t - self.before_since, 6),
            time=time,
        )


class TrackerState(msgspec.Struct, array_like=True, frozen=True):
    """All that a tracker remembers."""

    activity: str
    since: float
    last_window: int | None
    last_t: tuple[float, float]
    candidate: str
    candidate_since: float
    run: float


class Tracker:
    """Follows the activity of one session.

    Another activity is confirmed once it has been predicted so often in a row that the weights of
    these predictions add up to `confirm_sum`. It is dated back to the middle of the first of them,
    less half a hop, where the majority of the window's samples changed hands; or to that window's
    start, if nothing came right before it. A gap longer than `expires_s`, or time running back,
    ends what was.
    """

    def __init__(self, options: config.Tracker, signal: config.Signal, expires_s: float) -> None:
        self.activity = UNKNOWN
        self.since = 0.0  # device time in s; the session sets it to its first sample's
        self._options = options
        self._hop_s = signal.hop / signal.grid_hz
        self._expires_s = expires_s
        self._last_window: int | None = None
        self._last_t = (0.0, 0.0)  # its device time in s
        self._candidate = UNKNOWN
        self._candidate_since = 0.0
        self._run = 0.0  # weight of the candidate's predictions in a row

    def save(self) -> TrackerState:
        """Return all that it remembers, for `restore`."""
        return TrackerState(
            activity=self.activity,
            since=self.since,
            last_window=self._last_window,
            last_t=self._last_t,
            candidate=self._candidate,
            candidate_since=self._candidate_since,
            run=self._run,
        )

    def restore(self, state: TrackerState) -> None:
        """Go on where `state` was saved."""
        self.activity, self.since = state.activity, state.since
        self._last_window, self._last_t = state.last_window, state.last_t
        self._candidate, self._candidate_since = state.candidate, state.candidate_since
        self._run = state.run

    def decide(self, prediction: Prediction) -> list[Transition]:
        """Take the next prediction of the session; return the transitions that it confirms."""
        if self._follows_on(prediction):
            transitions = []
            self._follow(prediction, since=(sum(prediction.t) - self._hop_s) / 2)
        else:
            transitions = self._resume(prediction)
            self._follow(prediction, since=prediction.t[0])
        self._last_window, self._last_t = prediction.window, prediction.t
        if not transitions and round(self._run, 4) >= self._options.confirm_sum:
            transitions = [self._change(self._candidate, self._candidate_since)]
        return transitions

    def _follows_on(self, prediction: Prediction) -> bool:
        """Whether no gap lies before `prediction`: its window is the next, and a hop later."""
        if self._last_window is None or prediction.window != self._last_window + 1:
            return False
        return abs(prediction.t[0] - self._last_t[0] - self._hop_s) < 1e-3

    def _resume(self, prediction: Prediction) -> list[Transition]:
        """Begin after a gap: no run goes across it, and after a long one the activity is over."""
        self._run = 0.0
        last_t = self._last_t[1]
        if self._last_window is None or 0 <= prediction.t[0] - last_t <= self._expires_s:
            return []
        transitions = [] if self.activity == UNKNOWN else [self._change(UNKNOWN, last_t)]
        if prediction.t[0] < last_t:  # on another clock nothing is as long as it was
            self.since = prediction.t[0]
        return transitions

    def _follow(self, prediction: Prediction, since: float) -> None:
        """Weigh how often in a row the same other activity was predicted."""
        if prediction.activity == self.activity:
            self._run = 0.0
        elif self._run and prediction.activity == self._candidate:
            self._run += weight(prediction, self._options.min_confidence)
        else:
            self._candidate, self._candidate_since = prediction.activity, since
            self._run = weight(prediction, self._options.min_confidence)

    def _change(self, after: str, t: float) -> Transition:
        transition = Transition(self.activity, after, max(t, self.since), self.since)
        self.activity, self.since, self._run = after, transition.t, 0.0
        return transition
