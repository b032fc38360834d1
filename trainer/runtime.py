"""Starts TensorFlow politely: seeded, quiet, and on no more threads than asked for."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Read by TensorFlow's C++ part when it is first imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
THREADS = "TF_NUM_INTRAOP_THREADS"  # TensorFlow's own variable; without it, two


@contextmanager
def _hushed() -> Iterator[None]:
    """Drop what is written to file descriptor 2: TensorFlow reports there that it sees no GPU."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


with _hushed():
    import keras
    import tensorflow as tf

__all__ = ["keras", "prepare"]  # Keras is imported from here, after what stands above

# It warns where one process asks several networks, as folds and temperatures do.
tf.get_logger().setLevel(logging.ERROR)


def prepare(seed: int, threads: int | None = None) -> None:
    """Seed Python, numpy and TensorFlow, and limit its threads where it has not started yet."""
    keras.utils.set_random_seed(seed)
    threads = threads or int(os.environ.get(THREADS, "2"))
    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            return  # it has started, in a process that trains more than once
