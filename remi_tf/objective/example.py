"""What a loss gets from a training step."""

from typing import NamedTuple

import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.objective.negatives import Negatives


class Example(NamedTuple):
    """A batch after the lookup and the encoder.

    history: [batch, max_history] int32 ids, 0 is padding; history_rows: [batch, max_history, dim].
    target: [batch] int32 ids; target_rows: [batch, dim].
    negatives: the sampler's draw; negative_rows: [num_negatives, dim], or the whole item table.
    interests: what the encoder made of the history.
    seed: [2] int32, of the loss's own random draws in this step.
    """

    history: tf.Tensor
    history_rows: tf.Tensor
    target: tf.Tensor
    target_rows: tf.Tensor
    negatives: Negatives
    negative_rows: tf.Tensor
    interests: Interests
    seed: tf.Tensor

    def following(self) -> tuple[tf.Tensor, tf.Tensor]:
        """The item after each item of the history, which is the target after the last one.

        Returns:
          ids [batch, max_history] int32 and rows [batch, max_history, dim]. What they hold on padding means nothing.
        """
        valid = self.history > 0  # [B, L]
        is_last = valid & ~tf.pad(valid[:, 1:], [[0, 0], [0, 1]])
        ids = tf.where(is_last, self.target[:, tf.newaxis], tf.roll(self.history, -1, axis=1))
        rows = tf.roll(self.history_rows, -1, axis=1)
        return ids, tf.where(is_last[..., tf.newaxis], self.target_rows[:, tf.newaxis], rows)

    def excluded(self, mask_accidental_hits: bool) -> tf.Tensor | None:
        """[batch, num_negatives] bool: negatives that do not count, because they are the row's own target (hits).

        None if every negative counts. A sampler that always returns the targets has its hits left out in any case.
        """
        if mask_accidental_hits or self.negatives.holds_targets:
            return self.target[:, tf.newaxis] == self.negatives.ids
        return None
