"""The samplers, by their --sampler name.

A sampler is built by ``(settings, items, seed)`` and called with ``(target [batch], step) -> Negatives``. "full" draws
nothing, because every item competes (full_softmax.py).
"""

from collections.abc import Callable
from typing import Protocol

import tensorflow as tf

from remi_tf.objective.negatives import (
    InBatchNegatives,
    LogUniformNegatives,
    MixedNegatives,
    Negatives,
    TargetShares,
    UniformNegatives,
)
from remi_tf.objective.pool import HardestNegatives, PreferredNegatives, UncertainNegatives
from remi_tf.settings.objective import ObjectiveSettings


class Sampler(Protocol):
    """What the model needs from a sampler."""

    def __call__(self, target: tf.Tensor, step: tf.Tensor) -> Negatives: ...


def every_item(target: tf.Tensor, step: tf.Tensor) -> Negatives:
    """No draw: all items compete. Neither argument is used."""
    return Negatives(None)


SAMPLERS: dict[str, Callable[[ObjectiveSettings, TargetShares, int], Sampler]] = {
    "uniform": UniformNegatives,
    "log_uniform": LogUniformNegatives,
    "full": lambda settings, items, seed: every_item,
    "in_batch": lambda settings, items, seed: InBatchNegatives(items),
    "mns": MixedNegatives,
    "dns": HardestNegatives,
    "srns": UncertainNegatives,
    "genni": PreferredNegatives,
}
