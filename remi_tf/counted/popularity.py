"""Pop: the most popular items, the same for everyone."""

import numpy as np
import tensorflow as tf

from remi_tf.counted.base import CountedModel
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.settings.encoders import EncoderSettings

EXACT = 2**24  # below it, a float32 holds every whole number


class Popularity(CountedModel):
    """score(i) = how often the item occurs in the training users' sequences.

    If a count is too large to be exact in float32, the scores are the ranks of the counts, which give the same order.
    """

    score_meaning = "how often the item occurs"

    def __init__(self, settings: EncoderSettings, num_items: int):
        super().__init__(settings, num_items)
        # The scores are the first column. Runs of older versions may have more columns, which are zeros.
        shape = [num_items + 1, settings.embedding_dim]
        self.item_table = tf.Variable(tf.zeros(shape), trainable=False, name="item_table")

    @property
    def tables(self) -> dict[str, tf.Variable]:
        """See the base class."""
        return {"item_table": self.item_table}

    def count(self, train: Interactions, settings: EncoderSettings | None = None) -> None:
        """See the base class."""
        counts = np.bincount(train.items, minlength=self.num_items + 1)
        counts[0] = 0
        if counts.max() >= EXACT:
            counts = np.unique(counts, return_inverse=True)[1]
        others = self.item_table.shape[1] - 1
        self.item_table.assign(np.pad(counts[:, np.newaxis], ((0, 0), (0, others))).astype(np.float32))

    def scores(self, history: tf.Tensor) -> tf.Tensor:
        """See the base class."""
        some = tf.reduce_any(history > 0, axis=1, keepdims=True)  # [B, 1]
        return tf.where(some, tf.convert_to_tensor(self.item_table)[:, 0], 0.0)  # [B, I + 1]
