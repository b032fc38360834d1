"""What was said of one phone, so that its log says each thing once and not every few seconds."""

import time
from collections.abc import Callable
from math import inf

REPEAT_S = 600.0  # the same is said again after so long
MAX_SAID = 16  # texts remembered; the one that was heard longest ago is forgotten


class Said:
    """Remembers texts and when each was said; knows no log."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[str, float] = {}  # monotonic s; what was heard last stands last
        self._newest = -inf

    def due(self, text: str, quiet_s: float = 0.0) -> bool:
        """Whether to say a text now, which then counts as said.

        It is not for `quiet_s` after any other, and not for ten minutes after the same.
        """
        now = self._clock()
        before = self._said.pop(text, -inf)
        due = now - before >= REPEAT_S and now - self._newest >= quiet_s
        if due:
            self._newest = before = now
        if before > -inf:
            self._said[text] = before
        if len(self._said) > MAX_SAID:
            del self._said[next(iter(self._said))]
        return due
