"""A live session, with what the service knows of it besides: its device, model and connection."""

import logging
from contextlib import suppress
from pathlib import Path

from stream.devices import Device
from stream.errors import JournalError
from stream.events import Error, Prediction
from stream.journal.records import VERSION, FileState, LiveState, WindowState
from stream.metrics import Metrics
from stream.model.models import Model
from stream.outbox import Outbox
from stream.publish import Publisher
from stream.sensor_apps.dialects import BY_NAME
from stream.sensor_apps.intake import Intake
from stream.session import Session
from stream.signal.waveform import Thinner
from stream.signal.window import Window

Key = tuple[str, str, str]  # channel, device, session
log = logging.getLogger(__name__)


class Live:
    """A device's session on one channel, from its opening until its last window is answered."""

    def __init__(self, channel: str, session: Session, device: Device, model: Model) -> None:
        self.channel = channel
        self.session = session
        self.device = device
        self.model = model
        self.outbox: Outbox | None = None  # of the WebSocket that feeds it
        self.seen = 0.0  # monotonic s
        self.waiting: list[Window] = []  # for an answer, in order; an empty deque takes 760 bytes
        self.closing = False
        self.finished = False
        self.feeding = False  # in the middle of a message: it is not to be saved or ended now
        self.first_frame = b""  # digest of frame 0
        self.intake: Intake | None = None  # where a sensor app feeds it
        self.opened = 0  # number of its first input in the journal; 0: there is none yet
        self.group = 0  # the commit of its newest input
        self.durable_seq = 0  # frames below it are durable
        # What the history had before a restart: predictions by window, and the ids of events.
        self.said: dict[int, Prediction] = {}
        self.told: set[str] = set()
        self.file: Path | None = None  # that its newest labelled stretch goes to
        self.files = 0  # the number of its next file, unless there is one
        self._thinner: Thinner | None = None  # while somebody watches the waveform
        self._drops = (0, 0, 0, 0)  # the resampler's counters as last reported

    @property
    def key(self) -> Key:
        """What tells it from all other sessions."""
        return (self.channel, self.session.device, self.session.id)

    def save(self) -> LiveState:
        """Return all that a restart needs, for `restore`."""
        intake = self.intake.save() if self.intake else None
        waiting = [WindowState.of(window) for window in self.waiting]
        size = 0
        with suppress(OSError):  # gone or unreadable: a restart begins another one
            size = self.file.stat().st_size if self.file else 0
        file = FileState(str(self.file or ""), size, self.files)
        return LiveState(VERSION, self.session.save(), intake, waiting, self.first_frame, file)

    def restore(self, state: LiveState, max_g: float) -> None:
        """Go on where `state` was saved; raises JournalError or ConfigError where it can't."""
        if state.intake is not None:  # first: where it fails, no label is restored, to be written
            self.intake = self.new_intake(state.intake.dialect, max_g)
            self.intake.restore(state.intake)
        self.session.restore(state.session)
        self.durable_seq, self.first_frame = self.session.next_seq, state.first_frame
        self.files = state.file.files
        self.file = _cut_back(state.file) if state.file.path else None

    def new_intake(self, name: str, max_g: float) -> Intake:
        """Return an intake for messages of that dialect; raises JournalError for none of ours."""
        if name not in BY_NAME:
            raise JournalError(f"its app's dialect {name!r} is not known any more")
        return Intake(self.session.device, BY_NAME[name], max_g)

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
        session, fresh = self.session, self.session.fresh
        session.fresh = []  # of a large frame it is much, and sessions may be idle
        if not publisher.watched(session.device):  # nearly always
            self._thinner = None
            return
        if self._thinner is None:
            self._thinner = Thinner(session.device, session.id, session.grid_hz)
        for message in self._thinner.feed(fresh):
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


def _cut_back(state: FileState) -> Path | None:
    """Return a recording, without what was written after `state`: that comes again.

    None where somebody changed or removed it: then it stays as it is, and another is begun.
    """
    path = Path(state.path)
    try:
        with path.open("r+b") as file:
            if state.size:
                file.seek(state.size - 1)
            if state.size and file.read(1) != b"\n":
                why = f"it has no line that ends after {state.size} bytes, as when it was written"
            else:
                file.truncate(state.size)
                return path
    except OSError as error:
        why = error.strerror or str(error)
    log.warning("the recording goes on in another file than %s: %s", path, why)
    return None
