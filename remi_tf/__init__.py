"""remi_tf: multi-interest candidate matching in TensorFlow.

    import remi_tf
    dataset = remi_tf.prepare("clicks.csv", "data/shop", user_col="user", item_col="item", time_col="time")
    run = remi_tf.train(dataset, "SA", remi=True, max_steps=30_000)
    run.evaluate(top_n=(20, 50)).means
    run.recommender().recommend([["sku-17", "sku-4"]])
    run.export("export")

Importing the package is cheap: TensorFlow is loaded by the modules that use it. tensorflow-recommenders is written for
Keras 2. So ``TF_USE_LEGACY_KERAS`` is set here, before ``tf.keras`` is first used. A process that already has Keras 3
under ``tf.keras`` is refused.
"""

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from remi_tf.quiet_loading import load_tensorflow

if TYPE_CHECKING:
    from remi_tf.api import Run, evaluate, load_run, prepare, resume, train
    from remi_tf.errors import InputError, TrainingDiverged, TrainingInterrupted
    from remi_tf.objective.regularizers import RoutingRegularizer
    from remi_tf.objective.remi_loss import IHNSoftmax
    from remi_tf.recommending.recommender import Recommender

__all__ = [
    "IHNSoftmax",
    "InputError",
    "Recommender",
    "RoutingRegularizer",
    "Run",
    "TrainingDiverged",
    "TrainingInterrupted",
    "evaluate",
    "load_run",
    "prepare",
    "resume",
    "train",
]
__version__ = "0.1.0"

_HOMES = {
    **dict.fromkeys(("Run", "evaluate", "load_run", "prepare", "resume", "train"), "remi_tf.api"),
    **dict.fromkeys(("InputError", "TrainingDiverged", "TrainingInterrupted"), "remi_tf.errors"),
    "IHNSoftmax": "remi_tf.objective.remi_loss",
    "Recommender": "remi_tf.recommending.recommender",
    "RoutingRegularizer": "remi_tf.objective.regularizers",
}

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def active_keras_3() -> str | None:
    """The version of Keras 3 if tf.keras is Keras 3 in this process, else None.

    Reads dictionaries only: reading an attribute of tf.keras would load Keras.
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
    if name in _HOMES:
        if _HOMES[name] != "remi_tf.errors":
            load_tensorflow()
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
