"""remi_tf: multi-interest candidate matching in TensorFlow.

Importing the package is cheap: TensorFlow is loaded by the modules that use it. What must happen before
TensorFlow's ``tf.keras`` is first touched, happens here: tensorflow-recommenders is written for Keras 2, so
``TF_USE_LEGACY_KERAS`` is set, and a process in which Keras 3 already sits under ``tf.keras`` is refused.
"""

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from remi_tf.recommender import Recommender

__all__ = ["Recommender"]
__version__ = "0.1.0"

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def active_keras_3() -> str | None:
    """Version of Keras 3 if it sits under tf.keras in this process, else None.

    Looks into dictionaries only: touching an attribute of tf.keras would load one.
    """
    tensorflow = sys.modules.get("tensorflow")
    keras = vars(tensorflow).get("keras") if tensorflow is not None else None
    version = vars(keras).get("__version__") if keras is not None else None  # tf_keras keeps no version there
    return str(version) if version is not None else None


def _use_keras_2() -> None:
    if (version := active_keras_3()) is not None:
        raise ImportError(
            f"remi_tf needs Keras 2 under tf.keras (tensorflow-recommenders requires it), but Keras {version} is "
            "active in this process. Import remi_tf before tensorflow.keras is first used, or set "
            "TF_USE_LEGACY_KERAS=1 before Python starts."
        )
    os.environ["TF_USE_LEGACY_KERAS"] = "1"


_use_keras_2()


def __getattr__(name: str) -> Any:
    """The public names, loaded (with TensorFlow) when they are first asked for."""
    if name == "Recommender":
        from remi_tf.recommender import Recommender

        return Recommender
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
