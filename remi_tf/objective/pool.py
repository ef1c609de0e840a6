"""Negatives chosen by score: all rows share a uniform pool, and each row takes what its own interests find hard.

The pool has `pool_factor` times num_negatives ids. The readout scores them once, like any negatives. The choice by
these scores has no gradient, because it is a choice of positions.
"""

import tensorflow as tf

from remi_tf.objective.negatives import Negatives, TargetShares, UniformNegatives
from remi_tf.randomness import CHOICE_OF_NEGATIVES, stream_seed
from remi_tf.settings.objective import ObjectiveSettings


class HardestNegatives(UniformNegatives):
    """DNS: the num_negatives ids of the pool with the highest scores (Zhang et al., SIGIR'13; there for BPR)."""

    def __init__(self, settings: ObjectiveSettings, items: TargetShares, seed: int):
        super().__init__(settings, items, seed)
        self.pool = settings.pool_factor * settings.num_negatives

    def __call__(self, target: tf.Tensor, step: tf.Tensor) -> Negatives:
        """Args: target: [batch] int32 ids (not used: the pool is uniform). step: scalar integer."""
        ids = self._draw(self.pool, step)
        return Negatives(ids, choose=lambda positive, negative: self.choose(positive, negative, ids, step))

    def choose(self, positive: tf.Tensor, negative: tf.Tensor, ids: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """[batch, num_negatives] int32: each row's negatives, as positions in the pool.

        Args:
          positive: [batch] scores of the targets.
          negative: [batch, pool] scores of the pool, the lowest float for ids that do not count in a row.
          ids: [pool] int32. step: scalar integer.

        Returns:
          [batch, num_negatives] int32.
        """
        return self._best(negative)

    def _best(self, criterion: tf.Tensor) -> tf.Tensor:
        return tf.math.top_k(criterion, self.num_negatives, sorted=False).indices


class PreferredNegatives(HardestNegatives):
    """GenNi: ids drawn from the model's own preference, softmax(scores / t) over the pool.

    Positions of the pool are drawn without replacement: Gumbel noise is added and the highest are taken. The pool may
    hold an id twice. (Chen et al., 2022; their pool and schedule are not public.)
    """

    def __init__(self, settings: ObjectiveSettings, items: TargetShares, seed: int):
        super().__init__(settings, items, seed)
        self.temperature = settings.preference_temperature

    def choose(self, positive: tf.Tensor, negative: tf.Tensor, ids: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        seed = stream_seed(self.seed, step, CHOICE_OF_NEGATIVES)
        smallest = 1e-7
        uniform = tf.random.stateless_uniform(tf.shape(negative), seed, minval=smallest, alg="philox")
        return self._best(negative / self.temperature - tf.math.log(-tf.math.log(uniform)))


class UncertainNegatives(HardestNegatives):
    """SRNS: high scores that also vary. A false negative would score high all the time (Ding et al., NeurIPS'20).

        choose the highest of p_j + w · std(p_j),   p_j = σ(s_j − s_y)

    The paper keeps a memory for every user. Here all users share one, with `variance_memory` slots by item id. It holds
    a running mean and variance of p_j, averaged over the rows of each batch with item j in its pool. w grows from 0 to
    `variance_weight` over the first `variance_warmup` steps.
    """

    def __init__(self, settings: ObjectiveSettings, items: TargetShares, seed: int):
        super().__init__(settings, items, seed)
        self.weight, self.warmup = settings.variance_weight, settings.variance_warmup
        self.slots = min(settings.variance_memory, items.num_items + 1)
        self.decay = 0.9  # of the running values, for each time an item is met
        self.memory = tf.Variable(  # running mean, running variance
            tf.stack([tf.fill([self.slots], 0.5), tf.zeros([self.slots])], axis=1),
            trainable=False,
            name="score_memory",
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def choose(self, positive: tf.Tensor, negative: tf.Tensor, ids: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        probability = tf.sigmoid(negative - positive[:, tf.newaxis])  # [B, M]
        slots, place = tf.unique(ids % self.slots)
        remembered = tf.gather(self.memory, slots)  # [slots met, 2]
        deviation = tf.sqrt(tf.gather(remembered[:, 1], place))  # [M]
        now = tf.math.unsorted_segment_mean(tf.reduce_mean(probability, axis=0), place, tf.size(slots))
        moved = now - remembered[:, 0]
        mean = remembered[:, 0] + (1 - self.decay) * moved
        variance = self.decay * (remembered[:, 1] + (1 - self.decay) * tf.square(moved))
        self.memory.scatter_update(tf.IndexedSlices(tf.stack([mean, variance], axis=1), slots))
        weight = self.weight * tf.minimum(1.0, tf.cast(step, tf.float32) / self.warmup)
        lowest = negative <= negative.dtype.min  # ids that do not count must not gain by their variance
        return self._best(tf.where(lowest, -1.0, probability + weight * deviation))
