"""Negative samplers: which items compete with the target. Each draw is a function of (seed, step) alone."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

NEGATIVES_STREAM = 2  # the windows of the same seed and step use streams 0 and 1 (data/pipeline.py)


class Negatives(NamedTuple):
    """ids: [num_negatives] int32, shared by the batch.
    log_q, target_log_q: [num_negatives] and [batch] float32, log expected count of each id under the sampler, which
    the softmax subtracts from its score; None where the sampler is uniform and the correction cancels."""

    ids: tf.Tensor
    log_q: tf.Tensor | None = None
    target_log_q: tf.Tensor | None = None


class UniformNegatives:
    """Uniform over the catalogue, with replacement (REMI's sampler).

    Args:
      num_items: I. Ids are drawn from 1..I, or from 0..I with `include_padding` as REMI's release does.
    """

    def __init__(self, num_items: int, num_negatives: int, seed: int, include_padding: bool = False):
        self.first, self.end = (0 if include_padding else 1), num_items + 1
        self.num_negatives, self.seed = num_negatives, seed

    def __call__(self, target: tf.Tensor, step: tf.Tensor) -> Negatives:
        """Args: target: [batch] int32 ids (not used: the draw is uniform). step: scalar integer."""
        seed = tf.stack([tf.cast(self.seed, tf.int32), tf.cast(step, tf.int32)])
        return Negatives(
            tf.random.stateless_uniform([self.num_negatives], seed, self.first, self.end, dtype=tf.int32, alg="philox")
        )


class LogUniformNegatives:
    """Distinct ids, the popular ones likelier: P(rank c) = ln((c+2)/(c+1)) / ln(range+1), c = 0, 1, …

    The draw that `tf.nn.sampled_softmax_loss` makes by default (ComiRec's objective): ids are drawn one after another
    until `num_negatives` distinct ones are found in T tries, and the expected count of an id is 1 − (1 − P)^T.
    TensorFlow's own sampler keeps a hidden generator that no checkpoint holds; this one is a function of (seed, step).

    Args:
      num_items: I. Rank 0 is item 1, or padding with `include_padding` as in ComiRec's release.

    Raises:
      ValueError: more distinct negatives asked for than there are ids.
    """

    def __init__(self, num_items: int, num_negatives: int, seed: int, include_padding: bool = False):
        self.first = 0 if include_padding else 1
        self.range = num_items + 1 - self.first
        if num_negatives > self.range:
            raise ValueError(f"{num_negatives} distinct negatives cannot be drawn from {self.range} ids")
        self.num_negatives, self.seed = num_negatives, seed
        self.log_range = float(np.log1p(self.range))

    def __call__(self, target: tf.Tensor, step: tf.Tensor) -> Negatives:
        """Args: target: [batch] int32 ids. step: scalar integer."""
        ids, tries = self._draw_distinct(tf.cast(step, tf.int32))
        return Negatives(ids, self._log_expected_count(ids, tries), self._log_expected_count(target, tries))

    def _draw_distinct(self, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The first `num_negatives` distinct ids [N] of the step's stream, and how many draws that took (scalar)."""
        wanted = self.num_negatives

        def draw(block: tf.Tensor) -> tf.Tensor:
            seed = tf.stack([tf.cast(self.seed, tf.int32), step])
            seed = tf.random.experimental.stateless_fold_in(seed, NEGATIVES_STREAM + block)
            # In double precision: single has too few values to reach every item of a large catalogue's tail.
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


Sampler = UniformNegatives | LogUniformNegatives
SAMPLERS: dict[str, Callable[..., Sampler]] = {"uniform": UniformNegatives, "log_uniform": LogUniformNegatives}
