"""A fault of ours that tests bring to light: some frames make the service raise KeyError."""

import numpy as np
import pytest

from stream.session import Session
from stream.signal.window import Window
from stream.wire import Frame

POISON = np.float32(7.125)  # x of a sample


def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sessions fail on frames that hold POISON, when they are half taken."""
    sound = Session.feed

    def feed(self: Session, frame: Frame, arrived: float, rate_hz: float) -> list[Window]:
        windows = sound(self, frame, arrived, rate_hz)
        if (frame.xyz[:, 0] == POISON).any():
            raise KeyError("a fault of ours")
        return windows

    monkeypatch.setattr(Session, "feed", feed)
