"""How much one device and one address may send: counts it, and says when it is too much."""

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from stream import config
from stream.access.bucket import Bucket, Buckets
from stream.errors import ConfigError, TooFastError
from stream.metrics import Metrics

THINGS = ("frames", "bytes", "samples")
BUSY_S = 5.0  # after which somebody with too many connections may look again
V6_SITE = 64  # bits: what one customer gets, so that a new address is no new allowance


class Sender(NamedTuple):
    """Who is charged for a message: nobody for what is None."""

    door: str
    place: str | None = None  # by which an address is counted
    device: str | None = None
    requested: bool = False  # the address was charged for a request around this message


class Throttle:
    """The allowances of all devices and addresses. What is refused is counted by reason."""

    def __init__(
        self, options: config.Limits, metrics: Metrics, clock: Callable[[], float]
    ) -> None:
        self._options = options
        self._metrics = metrics
        self._clock = clock
        self._exempt = [_network(text) for text in options.exempt]
        of_device = (
            options.device_frames_per_s,
            options.device_bytes_per_s,
            options.device_samples_per_s,
        )
        of_address = (
            options.address_frames_per_s,
            options.address_bytes_per_s,
            options.address_samples_per_s,
        )
        logins = (options.failed_logins_per_min / 60,)
        self._devices = Buckets(of_device, options.burst_s, options.max_known)
        self._addresses = Buckets(of_address, options.burst_s, options.max_known)
        self._logins = Buckets(logins, 60.0, options.max_known)
        self._connections: Counter[str] = Counter()

    @property
    def max_known(self) -> int:
        """How many devices are remembered."""
        return self._options.max_known

    def place(self, host: str) -> str | None:
        """Return the name under which an address is counted; None where no limits hold for it."""
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return host  # no network's: a socket in a file, perhaps
        if isinstance(address, ipaddress.IPv6Address):
            address = address.ipv4_mapped or address
        if any(address in network for network in self._exempt):
            return None
        if address.version == 6:
            return str(ipaddress.ip_network((int(address), V6_SITE), strict=False))
        return str(address)

    def message(self, sender: Sender, size: int) -> None:
        """Let one message of `size` bytes pass; raises TooFastError."""
        now = self._clock()
        buckets = list(self._buckets(sender, now))
        for kind, key, bucket in buckets:
            wait, index = bucket.wait(now)
            if wait > 0:
                limit = f"{kind}_{THINGS[index]}_per_s"
                allowed = f"limits.{limit} = {getattr(self._options, limit):g}"
                text = f"{kind} {key} sends more than {allowed} allows; go on in"
                raise self._too_fast(THINGS[index], text, wait, sender.door)
        for kind, _, bucket in buckets:
            bucket.charge(0 if sender.requested and kind == "address" else 1, size)

    def wait_s(self, sender: Sender) -> float:
        """Return the seconds until a message passes, 0 for now; nothing is refused or counted."""
        now = self._clock()
        return max((bucket.wait(now)[0] for *_, bucket in self._buckets(sender, now)), default=0.0)

    def samples(self, sender: Sender, count: int) -> None:
        """Charge samples: they are known only after their message passed, so the next one waits."""
        for _, _, bucket in self._buckets(sender, self._clock()):
            bucket.charge(0, 0, count)

    def _buckets(self, sender: Sender, now: float) -> Iterator[tuple[str, str, Bucket]]:
        if sender.device is not None:
            yield "device", sender.device, self._devices.of(sender.device, now)
        if sender.place is not None:
            yield "address", sender.place, self._addresses.of(sender.place, now)

    def login(self, sender: Sender) -> None:
        """Raise TooFastError where an address has failed too often to try again now."""
        if (place := sender.place) is None:
            return
        wait, _ = self._logins.of(place, self._clock()).wait(self._clock())
        if wait > 0:
            allowed = f"limits.failed_logins_per_min = {self._options.failed_logins_per_min:g}"
            text = f"address {place} showed more than {allowed} wrong tokens; try again in"
            raise self._too_fast("logins", text, wait, sender.door)

    def failed(self, sender: Sender) -> None:
        """Remember that an address showed a token that doesn't count."""
        if sender.place is not None:
            self._logins.of(sender.place, self._clock()).charge(1)

    @contextmanager
    def connected(self, sender: Sender) -> Iterator[None]:
        """Count a connection for as long as the context lasts; raises TooFastError."""
        if (place := sender.place) is None:
            yield
            return
        if self._connections[place] >= self._options.address_connections:
            allowed = self._options.address_connections
            text = f"address {place} has limits.address_connections = {allowed} open; try again in"
            raise self._too_fast("connections", text, BUSY_S, sender.door)
        self._connections[place] += 1
        try:
            yield
        finally:
            self._connections[place] -= 1
            if not self._connections[place]:
                del self._connections[place]

    def _too_fast(self, reason: str, text: str, wait: float, door: str) -> TooFastError:
        self._metrics.turned_away.labels(door, reason).inc()
        return TooFastError(f"{text} {wait:.1f} s", wait)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise ConfigError(f"limits.exempt = {text!r}: {error}") from error
