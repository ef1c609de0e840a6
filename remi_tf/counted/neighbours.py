"""Counted models that keep a bounded list of items for each item."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import sparse

from remi_tf.counted.base import OverHistory
from remi_tf.counted.co_visits import best_lists, blocks
from remi_tf.data.dataset.interactions import Interactions

BYTES_A_NEIGHBOUR = 3 * (4 + 4)
"""Of an item's neighbour: id and value, in the table, where they are counted, and on the way from there to here."""


class Neighbours(OverHistory):
    """The table has, in the row of an item, its `neighbours` best items; all other values are 0.

    A subclass yields the rows of the table block by block in `rows`.
    """

    smaller = "take fewer --neighbours, or prepare the log with a larger --min_count"

    def __init__(self, settings: Any, num_items: int):
        super().__init__(settings, num_items)
        shape = [num_items + 1, min(settings.neighbours, num_items)]
        self.ids = tf.Variable(tf.zeros(shape, tf.int32), trainable=False, name="ids")
        self.values = tf.Variable(tf.zeros(shape), trainable=False, name="values")

    @classmethod
    def bytes_needed(cls, settings: Any, num_items: int) -> int:
        """See the base class."""
        return BYTES_A_NEIGHBOUR * min(settings.neighbours, num_items) * (num_items + 1)

    @property
    def tables(self) -> dict[str, tf.Variable]:
        """See the base class."""
        return {"ids": self.ids, "values": self.values, "age_weights": self.age_weights}

    @property
    def user_bytes(self) -> int:
        """See the base class."""
        return super().user_bytes + 16 * self.max_history * self.ids.shape[1]

    def rows(self, train: Interactions) -> Iterator[tuple[int, sparse.csr_matrix]]:
        """(first row, `[R, I + 1]` values of the rows from there on); those above 0 count. R by `blocks_of`."""
        raise NotImplementedError

    def blocks_of(self, costs: np.ndarray) -> Iterator[tuple[int, int]]:
        """(start, end) of the rows that are made together: costs `[I + 1]` numbers each, and then a list each."""
        return blocks(costs + self.ids.shape[1])

    def count_table(self, train: Interactions) -> None:
        """See the base class."""
        ids, values = best_lists(self.rows(train), *self.ids.shape)
        self.ids.assign(ids)
        self.values.assign(values)

    def scores(self, history: tf.Tensor) -> tf.Tensor:
        """See the base class."""
        batch, width = tf.shape(history, tf.int64)[0], self.num_items + 1
        users, rows, weights = self.weighted(history)  # [m]
        places = users[:, None] * width + tf.cast(tf.gather(self.ids, rows), tf.int64)  # [m, n]
        values = tf.gather(self.values, rows) * weights[:, None]  # [m, n]
        return tf.reshape(tf.math.unsorted_segment_sum(values, places, batch * width), [batch, width])

    def similar(self, row: int) -> np.ndarray:
        """See the base class."""
        found = np.zeros(self.num_items + 1, np.float32)
        ids, values = self.ids[row].numpy(), self.values[row].numpy()
        found[ids] = values
        found[[0, row]] = 0
        return found
