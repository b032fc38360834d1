"""What goes wrong in the trainer's commands, as one line of `gaitway`."""

from collections.abc import Iterator
from contextlib import contextmanager

from trainer.errors import DataError, NeedsTrainingError


@contextmanager
def named_errors() -> Iterator[None]:
    """Name what the operator can mend, so that `gaitway` shows one line instead of a traceback."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"stream", "trainer"}:
            raise
        raise NeedsTrainingError("training needs TensorFlow: pip install '.[train]'") from error
    except OSError as error:
        raise DataError(str(error)) from error
