"""Acceleration and gravity that come as separate readings become one: joined by time."""

import msgspec
import numpy as np
from numpy.typing import NDArray

JOIN_S = 0.25  # gravity farther away than this says nothing about a reading
LEAP_S = 1.0  # a clock that ran back by more was set, or was wrong for a moment
HISTORY_S = 1.0  # gravity is kept so long behind its newest reading
MAX_HELD = 4096  # readings that wait for gravity; beyond it the oldest are dropped
MAX_GRAVITY = 4096  # readings of it: a sensor of 1000 Hz gives 2000 around its newest one

Times = NDArray[np.float64]  # (n,) s
Vectors = NDArray[np.float64]  # (n, 3)


class JoinState(msgspec.Struct, array_like=True, frozen=True):
    """All that a join remembers; bytes are float64."""

    lost: int
    gravity_t: bytes  # (n,) s
    gravity: bytes  # (n, 3)
    t: bytes  # (n,) s
    xyz: bytes  # (n, 3)


class GravityJoin:
    """Adds gravity to acceleration: each reading waits until gravity is known at its time.

    Gravity between two readings of it lies on the line between them, so the two sensors need
    neither the same times nor the same rate. How readings of the two alternate on arrival changes
    nothing, as long as each sensor's own are in order.
    """

    def __init__(self) -> None:
        self.lost = 0  # readings without gravity near them
        self._gravity_t: Times = np.empty(0)
        self._gravity: Vectors = np.empty((0, 3))
        self._t: Times = np.empty(0)  # waiting readings
        self._xyz: Vectors = np.empty((0, 3))

    def save(self) -> JoinState:
        """Return all that it remembers, for `restore`."""
        held = (self._gravity_t, self._gravity, self._t, self._xyz)
        return JoinState(self.lost, *(array.tobytes() for array in held))

    def restore(self, state: JoinState) -> None:
        """Go on where `state` was saved."""
        self.lost = state.lost
        self._gravity_t = np.frombuffer(state.gravity_t)
        self._gravity = np.frombuffer(state.gravity).reshape(-1, 3)
        self._t, self._xyz = np.frombuffer(state.t), np.frombuffer(state.xyz).reshape(-1, 3)

    def feed(
        self, t: Times, xyz: Vectors, gravity_t: Times, gravity: Vectors
    ) -> tuple[Times, Vectors]:
        """Take readings of both; return times and sums, gravity included, that became known."""
        self._t, self._xyz = np.concatenate([self._t, t]), np.concatenate([self._xyz, xyz])
        if len(gravity_t):
            self._remember(gravity_t, gravity)
        # No gravity is to come for what was before a leap back, or was far ahead alone.
        earliest = np.minimum.accumulate(self._t[::-1])[::-1]
        waiting = np.flatnonzero((self._t > self._newest) & (self._t <= earliest + LEAP_S))
        n = int(waiting[0]) if len(waiting) else len(self._t)
        known = self._added(self._t[:n], self._xyz[:n])
        over = max(len(self._t) - n - MAX_HELD, 0)
        self.lost += over
        self._t, self._xyz = self._t[n + over :].copy(), self._xyz[n + over :].copy()
        self._forget()
        return known

    @property
    def behind_s(self) -> float:
        """How far gravity is behind the readings that wait for it; 0 where none wait."""
        return float(self._t[-1]) - self._newest if len(self._t) else 0.0

    @property
    def _newest(self) -> float:
        return float(self._gravity_t[-1]) if len(self._gravity_t) else -np.inf

    def _remember(self, t: Times, gravity: Vectors) -> None:
        self._gravity_t = np.concatenate([self._gravity_t, t])
        self._gravity = np.concatenate([self._gravity, gravity])

    def _added(self, t: Times, xyz: Vectors) -> tuple[Times, Vectors]:
        if not len(t):
            return t, xyz
        order = np.argsort(self._gravity_t, kind="stable")
        known_t, known = self._gravity_t[order], self._gravity[order]
        right = np.clip(np.searchsorted(known_t, t), 1, max(len(known_t) - 1, 1))
        away = np.abs(t - known_t[right - 1])
        if len(known_t) > 1:
            away = np.minimum(away, np.abs(t - known_t[right]))
        near = away <= JOIN_S
        self.lost += int((~near).sum())
        gravity = np.column_stack([np.interp(t, known_t, known[:, axis]) for axis in range(3)])
        return t[near], (xyz + gravity)[near]

    def _forget(self) -> None:
        # Times may be nonsense: any number of readings may claim the same one.
        self._gravity_t = self._gravity_t[-MAX_GRAVITY:]
        self._gravity = self._gravity[-MAX_GRAVITY:]
        keep = np.abs(self._gravity_t - self._newest) <= HISTORY_S
        self._gravity_t, self._gravity = self._gravity_t[keep], self._gravity[keep]
