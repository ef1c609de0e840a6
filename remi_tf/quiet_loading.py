"""Loading TensorFlow without what its C++ side prints at import, which no setting turns off."""

import os
import sys
import tempfile


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
