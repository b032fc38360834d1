"""What a load run found, as figures; `gaitway load --report` writes it as JSON."""

import msgspec
import numpy as np
from numpy.typing import ArrayLike


class Latency(msgspec.Struct, frozen=True):
    """From sending a window's last sample to receiving its prediction, in ms."""

    p50: float
    p95: float
    p99: float
    max: float


class ServerUse(msgspec.Struct, frozen=True):
    """What the server's process took while the phones were sending."""

    pid: int
    cpu_percent: float  # of one core, mean
    rss_mb: float  # largest seen, MB of 10⁶ bytes
    growth_percent: float | None  # of RSS, from the first minute's end; None: it was shorter


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One load run."""

    phones: int
    rate_hz: float
    frame_s: float
    seconds: float
    encoding: str
    timed: bool
    frames: int  # sent
    unacked: int  # frames that were sent and never acked
    disconnected: int  # phones that lost their connection, or never had one
    errors: int  # messages of type `error` or `missed`
    first_error: str
    expected: int  # windows that the sent frames complete
    predictions: int
    missing: int
    doubled: int
    extra: int
    windows_per_s: float
    latency_ms: Latency
    behind_ms: float  # how late this client sent a frame, at worst
    client_cpu_percent: float
    server: ServerUse | None

    @property
    def lossless(self) -> bool:
        """Whether every window came exactly once, and every frame was acked."""
        return not (self.missing or self.doubled or self.extra or self.unacked or self.disconnected)


def latency(seconds: ArrayLike) -> Latency:
    """Sum up latencies (n,) in s."""
    values = np.asarray(seconds, dtype=np.float64) * 1e3
    if not len(values):
        return Latency(0.0, 0.0, 0.0, 0.0)
    p50, p95, p99 = np.percentile(values, [50, 95, 99]).tolist()
    return Latency(round(p50, 2), round(p95, 2), round(p99, 2), round(float(values.max()), 2))
