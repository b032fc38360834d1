"""Somebody at a door, and what the token that was shown lets them do."""

from contextlib import AbstractContextManager

from stream.access.throttle import Sender, Throttle
from stream.access.tokens import Token
from stream.errors import ForbiddenError
from stream.journal.entries import Query


class Stream:
    """One device's right to send, and what it is charged for."""

    def __init__(self, throttle: Throttle, sender: Sender) -> None:
        self._throttle = throttle
        self._sender = sender

    def message(self, size: int) -> None:
        """Let one message of `size` bytes pass, before it is decoded; raises TooFastError."""
        self._throttle.message(self._sender, size)

    def wait_s(self) -> float:
        """Return how long a message has to wait now, so that none needs to be refused."""
        return self._throttle.wait_s(self._sender)

    def connected(self) -> AbstractContextManager[None]:
        """Count a connection for as long as the context lasts; raises TooFastError."""
        return self._throttle.connected(self._sender)

    def samples(self, count: int) -> None:
        """Say how many samples it held; the next message may have to wait for it."""
        self._throttle.samples(self._sender, count)


class Visitor:
    """Who is there. Without a token, the server is open, and everything is allowed."""

    def __init__(self, throttle: Throttle, sender: Sender, token: Token | None) -> None:
        self.token = token
        self._throttle = throttle
        self._sender = sender

    @property
    def device(self) -> str:
        """The one device whose token it is; empty where it is not one device's."""
        return self.token.name if self.token is not None and self.token.may == "device" else ""

    def streams_as(self, device: str) -> Stream:
        """Let somebody send as `device`; raises ForbiddenError."""
        if self.token is not None and not self.token.streams_as(device):
            raise self._forbidden(f"it doesn't stream as {device}")
        if self._sender.place is None:  # no limits hold there
            return Stream(self._throttle, self._sender)
        by_http = self._sender.door == "http"
        return Stream(self._throttle, self._sender._replace(device=device, requested=by_http))

    def sees(self, device: str) -> None:
        """Let somebody see one device; raises ForbiddenError."""
        if not self.watches(device):
            raise self._forbidden(f"it doesn't watch {device}")

    def watches(self, device: str) -> bool:
        """Whether one device may be seen."""
        return self.token is None or self.token.watches(device)

    def watching(self, query: Query, after: str = "") -> Query:
        """Narrow what is asked for to what may be seen; raises ForbiddenError.

        `after`: the id, if it is one, of the prediction or event from which on it is asked for; a
        position tells nothing.
        """
        token = self.token
        if token is None or token.for_all:
            return query
        if token.may != "watch":
            raise self._forbidden("it watches nobody")
        for device in (*query.devices, *([after.partition("/")[0]] if "/" in after else [])):
            self.sees(device)
        return query._replace(pattern=token.name)

    def administers(self) -> None:
        """Let somebody see the service itself; raises ForbiddenError."""
        if self.token is not None and self.token.may != "admin":
            raise self._forbidden("only an admin's may do this")

    def _forbidden(self, what: str) -> ForbiddenError:
        token = self.token
        whose = f"{token.may} {token.name}".strip() if token else ""
        return ForbiddenError(f"this token is for {whose}: {what}")
