"""Readouts: which interest answers for a candidate, given as scores of the target and of the negatives."""

from collections.abc import Callable
from typing import Protocol

import tensorflow as tf

from remi_tf.config import Settings
from remi_tf.encoders.base import Interests


class Readout(Protocol):
    """Interests and candidates → scores.

    Args of the call:
      interests: vectors [batch, num_interests, dim] and, where users have fewer, which are active.
      target: [batch, dim] item embeddings.
      negatives: [num_negatives, dim] shared by the batch.
      seed: [2] int32 of this step's random draws.

    Returns:
      Scores of the target [batch] and of the negatives [batch, num_negatives].
    """

    def __call__(
        self, interests: Interests, target: tf.Tensor, negatives: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]: ...


class Hard:
    """The interest closest to the target answers for all candidates (ComiRec, eq. 7: argmax over v_k · e_y).

    The gradient flows through the chosen interest alone.
    """

    def __init__(self, settings: Settings, seed: int):
        pass

    def __call__(
        self, interests: Interests, target: tf.Tensor, negatives: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        by_target = tf.einsum("bkd,bd->bk", interests.vectors, target)
        chosen = tf.gather(interests.vectors, tf.argmax(by_target, axis=1), batch_dims=1)  # [B, d]
        return scores(chosen, target, negatives)


def scores(chosen: tf.Tensor, target: tf.Tensor, negatives: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """One vector a user [batch, dim] → scores of the target [batch] and of the negatives [batch, num_negatives]."""
    return tf.reduce_sum(chosen * target, axis=1), tf.matmul(chosen, negatives, transpose_b=True)


READOUTS: dict[str, Callable[[Settings, int], Readout]] = {"hard": Hard}
