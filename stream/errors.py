"""The tree of errors, named by who is at fault. A message names the value and the limit."""

INTERNAL = "internal"  # the code of what no error here foresees: a fault of ours


class GaitwayError(Exception):
    """Root of everything that Gaitway raises on purpose."""

    exit_code = 2  # of the command that ends with it


class DeviceError(GaitwayError):
    """The device sent nonsense; `code` and `seq` go back to it in an `error` message."""

    code = "bad-frame"

    def __init__(self, message: str, seq: int | None = None) -> None:
        super().__init__(message)
        self.seq = seq


class MixedTimeError(DeviceError):
    """A timed frame in an untimed session, or a change of rate in one."""

    code = "mixed-time"


class NotRecordedError(DeviceError):
    """A label for a server that records nothing, or can't write what it should record."""

    code = "not-recorded"


class ParameterError(GaitwayError):
    """A request named an impossible device, session or option."""


class AccessError(GaitwayError):
    """Somebody may not come in, or not do that; `reason` is the word under which it is counted."""

    reason = "refused"


class UnauthenticatedError(AccessError):
    """No token was shown, or none that counts."""

    reason = "unauthenticated"


class ForbiddenError(AccessError):
    """The token that was shown doesn't allow this."""

    reason = "forbidden"


class OriginError(AccessError):
    """A browser comes from a page, or by a name, that isn't this server's."""

    reason = "origin"


class CheckError(GaitwayError):
    """The face-up check can't be made now."""


class ConfigError(GaitwayError):
    """The operator misconfigured the service."""


class ArtifactError(ConfigError):
    """The artifact is damaged, or it and the configuration disagree."""


class OverloadedError(GaitwayError):
    """We have more work than we may hold; the sender should come back later."""

    code = "overloaded"


class TooManyError(OverloadedError):
    """We know as many devices or sessions as we may; known ones go on."""


class NotDurableError(OverloadedError):
    """The journal can't be written now, so nothing is taken; the sender should come back later."""

    code = "not-durable"


class JournalError(GaitwayError):
    """The journal's file can't be opened, read or written."""


class TooFastError(OverloadedError):
    """Somebody sends more than one may; it passes after `retry_after_s`."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class OutOfTurnError(OverloadedError):
    """A frame comes before one that was refused for now, and has to come again first."""


class UnreachableError(GaitwayError):
    """A phone that we dial is off, refuses, or broke the connection."""


class InferenceError(GaitwayError):
    """The model could not answer for a batch of windows."""

    code = "inference-failed"
