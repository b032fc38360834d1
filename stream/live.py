"""A live session, with what the service knows of it besides: its device, model and connection."""

from pathlib import Path

from stream.devices import Device
from stream.events import Error
from stream.intake import Intake
from stream.metrics import Metrics
from stream.models import Model
from stream.outbox import Outbox
from stream.publish import Publisher
from stream.session import Session
from stream.waveform import Thinner

Key = tuple[str, str, str]  # channel, device, session


class Live:
    """A device's session on one channel, from its opening until its last window is answered."""

    def __init__(self, channel: str, session: Session, device: Device, model: Model) -> None:
        self.channel = channel
        self.session = session
        self.device = device
        self.model = model
        self.outbox: Outbox | None = None  # of the WebSocket that feeds it
        self.seen = 0.0  # monotonic s
        self.pending = 0  # windows without an answer
        self.closing = False
        self.finished = False
        self.first_frame = b""  # digest of frame 0
        self.intake: Intake | None = None  # where a sensor app feeds it
        self.file: Path | None = None  # that its newest labelled stretch goes to
        self.files = 0  # the number of its next file, unless there is one
        self._thinner: Thinner | None = None  # while somebody watches the waveform
        self._drops = (0, 0, 0, 0)  # the resampler's counters as last reported

    @property
    def key(self) -> Key:
        """What tells it from all other sessions."""
        return (self.channel, self.session.device, self.session.id)

    def tell(self, error: Error, publisher: Publisher) -> None:
        """Tell the device what went wrong on our side."""
        if self.outbox is not None:
            self.outbox.send(error)
        publisher.publish(self.session.device, error, self.channel)

    def count_arrival(self, seq: int | None, metrics: Metrics) -> None:
        """Report what the number of a message says: it came before, or others were given up."""
        if seq is not None and seq != self.session.next_seq:
            metrics.repeated.inc(seq < self.session.next_seq)
            metrics.skipped.inc(max(seq - self.session.next_seq, 0))

    def show(self, publisher: Publisher) -> None:
        """Tell those who watch its waveform, if anybody does, what the newest frame brought."""
        session = self.session
        if not publisher.watched(session.device):  # nearly always
            self._thinner = None
            return
        if self._thinner is None:
            self._thinner = Thinner(session.device, session.id, session.grid_hz)
        for message in self._thinner.feed(session.fresh):
            publisher.show(message)

    def count(self, metrics: Metrics, samples: int) -> None:
        """Report a frame of so many samples, and what was dropped or missed for it."""
        metrics.frames.labels(self.channel).inc()
        metrics.samples.inc(samples)
        counters = self.session.counters
        drops = (counters.late, counters.duplicates, counters.crowded, counters.gaps)
        if drops == self._drops:  # nearly always
            return
        late, duplicates, crowded, gaps = (b - a for a, b in zip(self._drops, drops, strict=True))
        metrics.dropped.labels("late").inc(late)
        metrics.dropped.labels("duplicate").inc(duplicates)
        metrics.dropped.labels("crowded").inc(crowded)
        metrics.gaps.inc(gaps)
        self._drops = drops
