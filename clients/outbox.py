"""Frames and labels that a device must keep: numbered, sent, acked, resumed. Knows no socket."""

from collections import deque

from clients.errors import NonsenseError
from stream.wire import Frame
from stream.wire.incoming import Label


class Outbox:
    """The frames of one session, and the labels between, that are not acked, oldest first.

    A frame gets its `seq` when it is sent, since a server that has forgotten the session makes
    the device number anew what it still keeps.
    """

    def __init__(self, limit: int) -> None:
        self.session_base = 0  # samples that were acked in sessions which the server forgot
        self._limit = limit
        self._first = 0  # seq of the oldest frame kept
        self._sent = 0  # how many of the kept frames were sent on this connection
        self._end = 0  # one above the highest seq ever sent in this session
        self._frames: deque[Frame | Label] = deque()
        self._label: Label | None = None  # that was acked last
        self._acked_samples = 0

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def full(self) -> bool:
        """Whether the sender has to wait before it adds another frame."""
        return len(self._frames) >= self._limit

    @property
    def waiting(self) -> bool:
        """Whether a frame is there that this connection has not sent."""
        return self._sent < len(self._frames)

    def add(self, frame: Frame | Label) -> None:
        """Keep a frame until it is acked; raises OverflowError where `full` is ignored."""
        if self.full:
            raise OverflowError(f"{len(self._frames)} frames are unacked, {self._limit} are kept")
        self._frames.append(frame)

    def take(self) -> Frame | Label:
        """Return the next frame to send, with its `seq`; raises IndexError if none waits."""
        frame = self._frames[self._sent]._replace(seq=self._first + self._sent)
        self._sent += 1
        self._end = max(self._end, self._first + self._sent)
        return frame

    def ack(self, seq: int) -> None:
        """Forget the frames up to `seq`; raises NonsenseError for one that was never sent."""
        if seq >= self._end:
            raise NonsenseError(f"frame {seq} was acked, but only {self._end} frames were sent")
        self._forget(seq + 1)

    def rewind(self) -> None:
        """Send everything that is kept once more: what became of it is not known."""
        self._sent = 0

    def resume(self, next_seq: int) -> bool:
        """Go on where the server's session stands; return False where it had forgotten it.

        It is then told anew what the device was labelled with.
        """
        self.rewind()
        if next_seq == 0 and self._first > 0:
            self.session_base = self._acked_samples
            self._first = self._end = 0
            if self._label is not None and self._label.label is not None:
                self._frames.appendleft(self._label)
            return False
        self._forget(next_seq)
        if not self._frames:  # another process may have sent the session's first frames
            self._first = next_seq
        self._end = max(self._end, self._first)
        return True

    def _forget(self, next_seq: int) -> None:
        while self._frames and self._first < next_seq:
            frame = self._frames.popleft()
            if isinstance(frame, Label):
                self._label = frame
            else:
                self._acked_samples += len(frame.xyz)
            self._first += 1
            self._sent = max(self._sent - 1, 0)
