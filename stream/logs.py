"""How the log is written: a line a record, whatever strangers put into names and errors."""

import logging
import re
import time
from collections.abc import Callable
from types import TracebackType

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# Control characters, line ends of any kind, and marks that turn the direction of writing.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
FAULT_EVERY_S = 10.0
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def escaped(text: str) -> str:
    r"""Return text that can neither end a line nor steer a terminal.

    >>> escaped("a\nb")
    'a\\nb'
    """
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class Formatter(logging.Formatter):
    """Escapes messages; the lines of a traceback are indented, so that none looks like a record."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """Write the record's own line."""
        record.message = escaped(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802  logging's name
        """Write a traceback."""
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"  | {escaped(line)}" for line in lines)


class Faults:
    """Logs faults of our own that end nothing, each with its traceback, but one now and then."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._logged = -FAULT_EVERY_S

    def log(self, whose: str, error: Exception) -> None:
        """Log a fault that `whose` message or phone brought to light."""
        if self._clock() - self._logged >= FAULT_EVERY_S:
            self._logged = self._clock()
            self._log.error(
                "%s: a fault of ours (and others, perhaps); the service goes on",
                whose,
                exc_info=error,
            )


def _of_ours(record: logging.LogRecord) -> bool:
    """Leave out what uvicorn says of text that is no UTF-8: anybody could fill the log with it."""
    return not str(record.msg).startswith("Invalid UTF-8 sequence received")


def set_up(level: int) -> None:
    """Log to stderr from `level` on."""
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter(FORMAT))
    handler.addFilter(_of_ours)
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("stamina").setLevel(logging.ERROR)  # what it retries is logged where it fails
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log each question to a phone
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # at INFO it logs URLs, tokens included
