"""What keeps a client from going on, named by fault. Each message says what to do next."""

from stream.errors import GaitwayError


class ClientError(GaitwayError):
    """Root of the clients' errors."""


class UnreachableError(ClientError):
    """Nobody answers, or nothing is acked: trying again later may help."""


class RefusedError(ClientError):
    """The server closed for good, with `code`: trying again would be answered alike."""

    exit_code = 1  # the command was right

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class NonsenseError(ClientError):
    """The other side sent something that is no message of the protocol."""


class ReplayError(ClientError):
    """There is nothing to replay under the given name."""
