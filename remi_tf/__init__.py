"""remi_tf: multi-interest candidate matching in TensorFlow.

Importing the package is cheap: TensorFlow is loaded by the modules that use it. What must happen before
TensorFlow's ``tf.keras`` is first touched, happens here: tensorflow-recommenders is written for Keras 2, so
``TF_USE_LEGACY_KERAS`` is set, and a process in which Keras 3 already sits under ``tf.keras`` is refused.
"""

import os
import sys

__version__ = "0.1.0"

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def _use_keras_2() -> None:
    loaded = sys.modules.get("tensorflow")
    keras_api = vars(loaded).get("keras") if loaded is not None else None
    refused = os.environ.get("TF_USE_LEGACY_KERAS", "1").lower() not in ("1", "true")
    if refused or str(getattr(keras_api, "__version__", "2")).startswith("3"):
        raise ImportError(
            "remi_tf needs Keras 2 under tf.keras (tensorflow-recommenders requires it), but Keras 3 is active "
            "in this process. Import remi_tf before tensorflow.keras is first used, or set TF_USE_LEGACY_KERAS=1."
        )
    os.environ["TF_USE_LEGACY_KERAS"] = "1"


_use_keras_2()
