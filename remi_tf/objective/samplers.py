"""The samplers by the name that --sampler takes.

A sampler is built by ``(settings, items, seed)`` and called with ``(target [batch], step) -> Negatives``. "full" draws
nothing, as every item competes (catalogue.py).
"""

from collections.abc import Callable
from typing import Protocol

import tensorflow as tf

from remi_tf.config import ObjectiveSettings
from remi_tf.objective.negatives import (
    InBatchNegatives,
    LogUniformNegatives,
    MixedNegatives,
    Negatives,
    TargetShares,
    UniformNegatives,
)
from remi_tf.objective.pool import HardestNegatives, PreferredNegatives, UncertainNegatives


class Sampler(Protocol):
    """What the model asks of a sampler."""

    def __call__(self, target: tf.Tensor, step: tf.Tensor) -> Negatives: ...


class EveryItem:
    """No draw: all items compete."""

    def __init__(self, settings: ObjectiveSettings, items: TargetShares, seed: int):
        pass

    def __call__(self, target: tf.Tensor, step: tf.Tensor) -> Negatives:
        """Args: target, step: not used."""
        return Negatives(None)


SAMPLERS: dict[str, Callable[[ObjectiveSettings, TargetShares, int], Sampler]] = {
    "uniform": UniformNegatives,
    "log_uniform": LogUniformNegatives,
    "full": EveryItem,
    "in_batch": InBatchNegatives,
    "mns": MixedNegatives,
    "dns": HardestNegatives,
    "srns": UncertainNegatives,
    "genni": PreferredNegatives,
}
