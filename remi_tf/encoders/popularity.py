"""Pop: the most popular items for everyone, used by the same commands as trained models."""

import numpy as np
import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests
from remi_tf.settings.encoders import EncoderSettings

EXACT = 2**24  # below it, a float32 holds every whole number


class Popularity(Encoder):
    """Every user's interest is the first unit vector. The item table holds each item's score in its first column.

    The score is how often the item occurs in the training users' sequences. If a count is too large to be exact in
    float32, the scores are the ranks of the counts instead, which give the same order.
    """

    def __init__(self, settings: EncoderSettings, seed: int):
        super().__init__(settings)  # no weights, so nothing to seed

    def call(self, embeddings: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None = None) -> Interests:
        return Interests(tf.eye(1, self.settings.embedding_dim, batch_shape=tf.shape(embeddings)[:1]))  # [B, 1, d]

    def counted_table(self, items: np.ndarray, num_items: int) -> np.ndarray:
        """See the base class."""
        scores = np.bincount(items, minlength=num_items + 1)
        scores[0] = 0
        if scores.max() >= EXACT:
            scores = np.unique(scores, return_inverse=True)[1]
        return np.pad(scores[:, np.newaxis], ((0, 0), (0, self.settings.embedding_dim - 1))).astype(np.float32)
