"""Writes what devices were labelled with as recordings that the trainer reads.

A file a stretch: `<device>_<session>_<n>.csv`. No file is ever overwritten, and none stays open.
"""

import logging
import os
from contextlib import suppress
from io import SEEK_END
from itertools import count
from pathlib import Path

from stream import config
from stream.errors import ConfigError, NotRecordedError
from stream.events import Error
from stream.labels import Part
from stream.live import Live
from stream.metrics import Metrics
from stream.publish import Publisher
from stream.wire.incoming import Label

HEADER = "t,x,y,z,label,device,session\n"
log = logging.getLogger(__name__)


class Recorder:
    """The folder of recordings. Raises ConfigError where it can't be made or written to.

    An empty `folder` means that nothing is recorded.
    """

    def __init__(self, options: config.Record, publisher: Publisher, metrics: Metrics) -> None:
        self.on = bool(options.folder)
        self._folder = Path(options.folder)
        self._publisher = publisher
        self._metrics = metrics
        self._failing = False  # the last write failed, which is logged once
        if self.on:
            self._prepare()

    def _prepare(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not os.access(self._folder, os.W_OK | os.X_OK):
                raise PermissionError(0, "no permission to write there")
        except OSError as error:
            raise ConfigError(
                f"record.folder = {str(self._folder)!r}: recordings can't be written there: "
                f"{error.strerror}"
            ) from error

    def check(self, label: Label) -> None:
        """Raise NotRecordedError for a label where nothing is recorded."""
        if not self.on:
            raise NotRecordedError(
                "this server records nothing: start it with gaitway serve --record DIR, or "
                "set record.folder in its config.toml",
                label.seq,
            )

    def label(self, live: Live, label: Label) -> None:
        """Take a session's label, unless it was taken before, and write what it ends."""
        self._metrics.labels.inc(live.session.label(label))
        self.write(live)

    def write(self, live: Live) -> None:
        """Write what is ready of a session; tell its device where that fails."""
        if not live.session.labels.ready:  # nearly always
            return
        parts, unordered = live.session.labels.take()
        self._metrics.unrecorded.labels("order").inc(unordered)
        if not self.on:  # any more: the label is from before a restart
            self._drop(live, parts, "off")
            return
        for number, part in enumerate(parts):
            try:
                self._append(live, part)
            except OSError as error:
                self._fail(live, parts[number:], error)
                return
            self._failing = False
            self._metrics.recorded.inc(len(part.rows))

    def finish(self, live: Live) -> None:
        """End a session's labels, and write what it still holds."""
        live.session.labels.end()
        self.write(live)

    def _append(self, live: Live, part: Part) -> None:
        if part.begins or live.file is None or live.file.parent != self._folder:
            live.file = self._new_file(live)
        with live.file.open("r+b", buffering=0) as file:  # a buffer would try again at its close
            end = file.seek(0, SEEK_END)
            left = memoryview(_lines(live, part, header=not end).encode())
            try:
                while left:
                    left = left[file.write(left) :]
            except OSError:
                with suppress(OSError):  # half a line would be another sample
                    file.truncate(end)
                raise

    def _new_file(self, live: Live) -> Path:
        """Begin the session's next file, behind those of a session that was resumed."""
        for number in count(live.files):
            path = self._folder / f"{live.session.device}_{live.session.id}_{number}.csv"
            with suppress(FileExistsError):
                path.touch(exist_ok=False)
                live.files = number + 1
                return path
        raise AssertionError  # count never ends

    def _fail(self, live: Live, left: list[Part], error: OSError) -> None:
        """End the label, count what it cost, and tell operator and device."""
        self._drop(live, left, "disk")
        reason = error.strerror or str(error)
        if not self._failing:
            log.error("recordings can't be written to %s: %s", self._folder, reason)
        self._failing = True
        message = Error(
            code=NotRecordedError.code,
            message=f"the recording ended, as it can't be written: {reason}; free the server's "
            "disk, then label anew",
        )
        live.tell(message, self._publisher)

    def _drop(self, live: Live, left: list[Part], reason: str) -> None:
        """End the label, and count what was not written and what is held."""
        live.file = None
        live.session.labels.end()
        left = left + live.session.labels.take()[0]
        self._metrics.unrecorded.labels(reason).inc(sum(len(part.rows) for part in left))


def _lines(live: Live, part: Part, *, header: bool) -> str:
    tail = f"{part.label},{live.session.device},{live.session.id}\n"
    rows = [f"{t:.6f},{x:.3f},{y:.3f},{z:.3f},{tail}" for t, x, y, z in part.rows]
    return "".join([HEADER, *rows] if header else rows)
