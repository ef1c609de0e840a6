"""Negative samplers that do not look at scores. Which items compete with the target is a function of (seed, step).

pool.py has the samplers that choose by score.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from remi_tf.randomness import NEGATIVES, step_seed, stream_seed
from remi_tf.settings.objective import ObjectiveSettings


class Negatives(NamedTuple):
    """The sampler's draw.

    ids: [num_negatives] int32, shared by the batch. None means every item.
    log_q: item ids [...] int32 → [...] float32, log of an id's expected count under the sampler. The softmax subtracts
      it from scores. None where nothing is to correct: uniform draws, unless the setting log_q is "corrected".
    holds_targets: whether every row's own target is among the ids. It never counts, whatever the settings.
    choose: which of the ids compete in each row, by their scores (pool.py). None if all do.
    """

    ids: tf.Tensor | None
    log_q: "LogQ | None" = None
    holds_targets: bool = False
    choose: "Choose | None" = None


LogQ = Callable[[tf.Tensor], tf.Tensor]
Choose = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]  # scores of targets [B] and ids [B, M] → positions [B, N]


class TargetShares(NamedTuple):
    """What samplers know about the data.

    num_items: I.
    shares: returns [num_items + 1], each item's share of all targets (TrainingBatches.target_shares). None for a model
      that is not trained.
    """

    num_items: int
    shares: Callable[[], np.ndarray] | None = None

    def frequency(self) -> tf.Tensor:
        """[num_items + 1] float32, each item's share of all targets.

        Raises:
          ValueError: there are no shares.
        """
        if self.shares is None:
            raise ValueError("this sampler corrects by the targets' frequencies, which a model has only in training")
        return tf.constant(self.shares(), tf.float32)


class UniformNegatives:
    """Uniform over the catalogue, with replacement (REMI's sampler).

    Ids are drawn from 1..I, or from 0..I with `padding_is_negative` as REMI's release does.
    """

    def __init__(self, settings: ObjectiveSettings, items: TargetShares, seed: int):
        self.first, self.end = (0 if settings.padding_is_negative else 1), items.num_items + 1
        self.num_negatives, self.seed = settings.num_negatives, seed
        self.corrected = settings.log_q == "corrected"  # else the correction is the same for all ids, and cancels

    def __call__(self, target: tf.Tensor, step: tf.Tensor) -> Negatives:
        """Args: target: [batch] int32 ids (not used: the draw is uniform). step: scalar integer."""
        return Negatives(self._draw(self.num_negatives, step), self._log_expected_count if self.corrected else None)

    def _log_expected_count(self, ids: tf.Tensor) -> tf.Tensor:
        return tf.fill(tf.shape(ids), float(np.log(self.num_negatives / (self.end - self.first))))

    def _draw(self, count: int | tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        seed = step_seed(self.seed, step)
        return tf.random.stateless_uniform([count], seed, self.first, self.end, dtype=tf.int32, alg="philox")


class LogUniformNegatives:
    """Distinct ids, popular ones more likely: P(rank c) = ln((c+2)/(c+1)) / ln(range+1), c = 0, 1, …

    As `tf.nn.sampled_softmax_loss` draws by default (ComiRec's objective): ids are drawn until `num_negatives` distinct
    ones are found, in T tries. The expected count of an id is then 1 − (1 − P)^T. TensorFlow's own sampler has a hidden
    generator that no checkpoint holds; this one is a function of (seed, step).

    Rank 0 is item 1, or padding with `padding_is_negative` as in ComiRec's release.

    Raises:
      ValueError: more distinct negatives than there are ids.
    """

    def __init__(self, settings: ObjectiveSettings, items: TargetShares, seed: int):
        self.first, num_negatives = (0 if settings.padding_is_negative else 1), settings.num_negatives
        self.range = items.num_items + 1 - self.first
        if num_negatives > self.range:
            raise ValueError(f"{num_negatives} distinct negatives cannot be drawn from {self.range} ids")
        self.num_negatives, self.seed = num_negatives, seed
        self.log_range = float(np.log1p(self.range))

    def __call__(self, target: tf.Tensor, step: tf.Tensor) -> Negatives:
        """Args: target: [batch] int32 ids. step: scalar integer."""
        ids, tries = self._draw_distinct(tf.cast(step, tf.int32))
        return Negatives(ids, lambda asked: self._log_expected_count(asked, tries))

    def _draw_distinct(self, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The first `num_negatives` distinct ids [N] of the step's stream, and how many draws that took (scalar)."""
        wanted = self.num_negatives

        def draw(block: tf.Tensor) -> tf.Tensor:
            seed = stream_seed(self.seed, step, NEGATIVES + block)
            # Double precision: single has too few values to reach every rare item of a large catalogue.
            uniform = tf.random.stateless_uniform([2 * wanted], seed, dtype=tf.float64, alg="philox")
            rank = tf.cast(tf.exp(uniform * self.log_range), tf.int32) - 1
            return self.first + tf.minimum(rank, self.range - 1)

        def too_few(stream: tf.Tensor, block: tf.Tensor) -> tf.Tensor:
            return tf.size(tf.unique(stream)[0]) < wanted

        def longer(stream: tf.Tensor, block: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return tf.concat([stream, draw(block)], axis=0), block + 1

        stream, _ = tf.while_loop(
            too_few,
            longer,
            (draw(tf.constant(0)), tf.constant(1)),
            shape_invariants=(tf.TensorShape([None]), tf.TensorShape([])),
        )
        distinct, index = tf.unique(stream)  # in the order of their first draw
        tries = 1 + tf.argmax(tf.equal(index, wanted - 1), output_type=tf.int32)
        return tf.ensure_shape(distinct[:wanted], [wanted]), tries

    def _log_expected_count(self, ids: tf.Tensor, tries: tf.Tensor) -> tf.Tensor:
        rank = tf.cast(ids - self.first, tf.float32)
        probability = tf.math.log1p(1.0 / (rank + 1.0)) / self.log_range
        return tf.math.log(-tf.math.expm1(tf.cast(tries, tf.float32) * tf.math.log1p(-probability)))


class InBatchNegatives:
    """The other targets of the batch, corrected by their frequency (log-Q). No other item is looked up.

    A target's expected count is B times its share of all targets. With several replicas, the negatives come from the
    replica's own part of the batch.
    """

    def __init__(self, items: TargetShares):
        self.items = items

    def __call__(self, target: tf.Tensor, step: tf.Tensor) -> Negatives:
        """Args: target: [batch] int32 ids. step: scalar integer (not used: nothing is drawn)."""
        expected = tf.cast(tf.size(target), tf.float32) * self.items.frequency()  # [I + 1]
        return Negatives(target, lambda ids: tf.math.log(tf.gather(expected, ids)), holds_targets=True)


class MixedNegatives(UniformNegatives):
    """MNS: the other targets of the batch and uniform items, num_negatives in all (Yang et al., WWW'20 companion).

    The expected count of item j is B f_j + N' / I: f_j is its frequency among targets, N' = N − (B − 1) the number of
    uniform draws. So items that are never a target compete too.
    """

    def __init__(self, settings: ObjectiveSettings, items: TargetShares, seed: int):
        super().__init__(settings, items, seed)
        self.items = items

    def __call__(self, target: tf.Tensor, step: tf.Tensor) -> Negatives:
        """Args: target: [batch] int32 ids. step: scalar integer."""
        batch = tf.size(target)
        uniform = self.num_negatives - (batch - 1)
        ids = tf.concat([target, self._draw(uniform, step)], axis=0)
        by_batch = tf.cast(batch, tf.float32) * self.items.frequency()  # [I + 1]
        log_q = tf.math.log(by_batch + tf.cast(uniform, tf.float32) / (self.end - self.first))
        return Negatives(ids, lambda asked: tf.gather(log_q, asked), holds_targets=True)
