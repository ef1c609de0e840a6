"""A tiny model and users to evaluate it on."""

import numpy as np
import tensorflow as tf

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.encoders.base import Interests

NUM_ITEMS = 60


class TinyModel:
    """Two interests: the vectors of the first and the last item of the history."""

    max_history = 3
    needs = ()
    boost = None

    def __init__(self, seed=0):
        table = np.random.default_rng(seed).standard_normal((NUM_ITEMS + 1, 4))
        self.item_table = tf.Variable(table.astype(np.float32))
        self.traces = 0

    def item_vectors(self):
        return tf.convert_to_tensor(self.item_table)

    def encode(self, history, **features):
        self.traces += 1
        return Interests(self.interests(history, **features))

    def interests(self, history):
        last = tf.reduce_sum(tf.cast(history > 0, tf.int32), axis=1) - 1
        last = tf.gather(history, tf.maximum(last, 0), batch_dims=1)
        return tf.gather(self.item_table, tf.stack([history[:, 0], last], axis=1))


def interactions(*users):
    """Each user: (history, targets)."""
    lengths = [len(history) + len(after) for history, after in users]
    items = np.array([item for history, after in users for item in [*history, *after]], np.int32)
    return Interactions(
        items,
        np.arange(len(items)),
        np.cumsum([0, *lengths]),
        np.array([len(history) for history, _ in users], np.int64),
    )


def random_users(count, seed=0):
    rng = np.random.default_rng(seed)

    def draw():
        return rng.integers(1, NUM_ITEMS + 1, rng.integers(1, 7)).tolist()

    return [(draw(), draw()) for _ in range(count)]
