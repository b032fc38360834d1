"""Errors of training, all of them the operator's to mend: recordings, options, exports."""

from stream.errors import GaitwayError


class DataError(GaitwayError):
    """Recordings are missing, damaged, or not the file that they are taken for."""


class MissingError(DataError):
    """A data set is nowhere to be found."""


class NeedsTrainingError(GaitwayError):
    """The libraries that training needs are not installed."""


class ExportError(GaitwayError):
    """The exported graph does not answer like the trained model."""
