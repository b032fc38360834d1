"""Allowances that fill up again with time, one bucket for each who sends; time is handed in.

The library for it, `limits`, reads the clock itself, cleans up in a thread of its own, and bounds
neither its memory nor how many it knows; a token bucket is shorter than what it would take to tame.
"""

from collections import OrderedDict

ROUNDING = 1e-6  # of one message, so that who waited as long as told is not sent away again


class Bucket:
    """What one sender has left of several things, such as frames and bytes.

    Each fills at its rate a second up to `burst_s` seconds' worth. A message passes while one of
    each is left, and may overdraw, so that none is too large to pass at all.
    """

    def __init__(self, rates: tuple[float, ...], burst_s: float, now: float) -> None:
        self._rates = rates
        self._full = [rate * burst_s for rate in rates]
        self._left = list(self._full)
        self._at = now

    def wait(self, now: float) -> tuple[float, int]:
        """Return the seconds until a message passes, 0 for now, and which thing is short."""
        self._fill(now)
        if min(self._left) >= 1.0:  # nearly always
            return 0.0, 0
        short = [min(1.0, full) - left for left, full in zip(self._left, self._full, strict=True)]
        waits = [
            lacking / rate if lacking > ROUNDING else 0.0
            for lacking, rate in zip(short, self._rates, strict=True)
        ]
        longest = max(waits)
        return longest, waits.index(longest)

    def charge(self, *costs: float) -> None:
        """Take from what is left, in the order of the rates."""
        for index, cost in enumerate(costs):
            self._left[index] -= cost

    def _fill(self, now: float) -> None:
        past = max(now - self._at, 0.0)
        self._at = max(now, self._at)
        for index, rate in enumerate(self._rates):
            self._left[index] = min(self._left[index] + past * rate, self._full[index])


class Buckets:
    """A bucket for each key; at most `limit` are kept, and those longest unused go."""

    def __init__(self, rates: tuple[float, ...], burst_s: float, limit: int) -> None:
        self._rates = rates
        self._burst_s = burst_s
        self._limit = limit
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def of(self, key: str, now: float) -> Bucket:
        """Return the bucket of `key`, a full one where it is new."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._rates, self._burst_s, now)
            if len(self._buckets) > self._limit:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket
