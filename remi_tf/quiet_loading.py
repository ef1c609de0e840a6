"""TensorFlow without the lines that tell a user nothing: those of its C++ side at import, and of graphs built anew."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator


def load_tensorflow() -> None:
    """Import TensorFlow and look for its devices, quietly. If that fails, all that was printed is shown.

    `python -m remi_tf.doctor` tells of devices.
    """
    if "tensorflow" in sys.modules:
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_physical_devices()  # where the search for GPUs prints
        except BaseException:
            printed.seek(0)
            os.write(stderr, printed.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


@contextlib.contextmanager
def no_retracing_warnings() -> Iterator[None]:
    """Within the block TensorFlow does not warn that a function was traced several times.

    Each model has a graph of its own, so a process that trains five models traces five; the warning suspects a mistake.
    """

    def keep(record: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in record.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)
