"""A stream of bytes, cut into messages. Knows nothing of what they hold."""

import re


class Splitter:
    """Cuts what one connection sends into messages, however it came in pieces."""

    def __init__(self, message: re.Pattern[bytes], max_bytes: int) -> None:
        """Take messages that match `message` from their first byte on, none over `max_bytes`."""
        self.overlong = False  # one was too long; where the next begins is not known
        self._message = message
        self._max_bytes = max_bytes
        self._held = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; return the messages that they complete, without blank ones.

        After one that is too long nothing comes out any more.
        """
        held, begin = self._held + data, 0
        found: list[bytes] = []
        while not self.overlong and (match := self._message.match(held, begin)):
            self.overlong = match.end() - begin > self._max_bytes
            if not (self.overlong or match[0].isspace()):
                found.append(match[0])
            begin = match.end()
        self.overlong = self.overlong or len(held) - begin > self._max_bytes
        self._held = b"" if self.overlong else held[begin:]
        return found
