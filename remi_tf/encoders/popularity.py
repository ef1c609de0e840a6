"""Pop: the most popular items for everyone, behind the same commands as the models that learn."""

import numpy as np
import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests
from remi_tf.settings.encoders import EncoderSettings

EXACT = 2**24  # below it, a float32 holds every whole number


class Popularity(Encoder):
    """Everyone's interest is the first unit vector; the item table holds each item's score in its first column.

    The score is how often the item occurs in the training users' sequences; where a count would not be exact in
    float32, the rank among the counts stands in, which orders the items alike.
    """

    def __init__(self, settings: EncoderSettings, seed: int):
        super().__init__(settings)  # no weights, so nothing to seed

    def call(self, embeddings: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None = None) -> Interests:
        return Interests(tf.eye(1, self.settings.embedding_dim, batch_shape=tf.shape(embeddings)[:1]))  # [B, 1, d]

    def counted_table(self, items: np.ndarray, num_items: int) -> np.ndarray:
        """As in the base."""
        scores = np.bincount(items, minlength=num_items + 1)
        scores[0] = 0
        if scores.max() >= EXACT:
            scores = np.unique(scores, return_inverse=True)[1]
        return np.pad(scores[:, np.newaxis], ((0, 0), (0, self.settings.embedding_dim - 1))).astype(np.float32)
