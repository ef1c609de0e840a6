"""Readouts: which interest answers for the target, given as scores of the target and of the negatives."""

from collections.abc import Callable

import tensorflow as tf

Readout = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def hard(interests: tf.Tensor, target: tf.Tensor, negatives: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The interest closest to the target answers (ComiRec, eq. 7: argmax over v_k · e_y).

    The gradient flows through the chosen interest alone.

    Args:
      interests: [batch, num_interests, dim].
      target: [batch, dim] item embeddings.
      negatives: [num_negatives, dim] shared by the batch.

    Returns:
      Scores of the target [batch] and of the negatives [batch, num_negatives].
    """
    by_target = tf.einsum("bkd,bd->bk", interests, target)
    chosen = tf.gather(interests, tf.argmax(by_target, axis=1), batch_dims=1)  # [B, d]
    positive = tf.reduce_sum(chosen * target, axis=1)
    return positive, tf.matmul(chosen, negatives, transpose_b=True)


READOUTS: dict[str, Readout] = {"hard": hard}
