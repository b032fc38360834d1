"""What goes wrong in the trainer's commands, as one line of `gaitway`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from trainer.errors import DataError, NeedsTrainingError


@contextmanager
def named_errors() -> Iterator[None]:
    """Name what the operator can mend, so that `gaitway` shows one line instead of a traceback."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in {"stream", "trainer"}:
            raise
        raise NeedsTrainingError(
            f"this needs {missing}, which the server does without: "
            f"{sys.executable} -m pip install '.[train]'"
        ) from error
    except OSError as error:
        raise DataError(str(error)) from error
