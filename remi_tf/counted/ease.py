"""EASE: a linear model of all items, in closed form (Steck, WWW'19)."""

from typing import Any

import numpy as np
import tensorflow as tf
from scipy.linalg import lapack

from remi_tf.counted.base import OverHistory
from remi_tf.counted.co_visits import blocks, read_once
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.errors import InputError

BYTES_A_PAIR = 8 + 3 * 4
"""Of two items: one number of float64 while the matrix is inverted, and the table with two copies in float32."""


class EASE(OverHistory):
    """table B = I - P / diag(P), with P = (XᵀX + λ I)⁻¹ and X [users, items] 1 where a training user has the item.

    B minimises |X - X B|² + λ |B|² with diag(B) = 0 (eq. 8 of the paper).
    """

    score_meaning = "weights from the items of the history, added up; older items weigh less"
    smaller = (
        "take --model_type ItemKNN, which keeps a list for each item, or prepare the log with a larger --min_count"
    )

    def __init__(self, settings: Any, num_items: int):
        super().__init__(settings, num_items)
        self.table = tf.Variable(tf.zeros([num_items + 1, num_items + 1]), trainable=False, name="table")

    @classmethod
    def bytes_needed(cls, settings: Any, num_items: int) -> int:
        """See the base class."""
        return BYTES_A_PAIR * (num_items + 1) ** 2

    @property
    def tables(self) -> dict[str, tf.Variable]:
        """See the base class."""
        return {"table": self.table, "age_weights": self.age_weights}

    def count_table(self, train: Interactions) -> None:
        """See the base class."""
        users = read_once(train, self.num_items)
        self.table.assign(closed_form(users[:, 1:], self.settings.ease_lambda))

    def scores(self, history: tf.Tensor) -> tf.Tensor:
        """See the base class."""
        users, rows, weights = self.weighted(history)  # [m]
        places = tf.stack([users, tf.cast(rows, tf.int64)], axis=1)  # [m, 2]; the weights of a place add up
        read = tf.SparseTensor(places, weights, [tf.shape(history, tf.int64)[0], self.num_items + 1])
        return tf.sparse.sparse_dense_matmul(read, tf.convert_to_tensor(self.table))  # [B, I + 1]

    def similar(self, row: int) -> np.ndarray:
        """See the base class."""
        return np.maximum(self.table[row].numpy(), 0)


def closed_form(users: Any, ease_lambda: float) -> np.ndarray:
    """`[I + 1, I + 1]` float32 B, its row and column of padding 0.

    users: sparse `[users, I]`.

    Raises:
      InputError: the penalty is too small for the log, so that the matrix has no inverse in 64 bits.
    """
    num_items = users.shape[1]
    gram, items = np.empty((num_items, num_items), order="F"), users.T.tocsr()
    for start, end in blocks(np.full(num_items, num_items)):
        gram[start:end] = (items[start:end] @ users).toarray()
    gram[np.diag_indices(num_items)] += ease_lambda
    # Its lower half becomes the Cholesky factor, then P, in place: there is never a second matrix of this size.
    factor, failed = lapack.dpotrf(gram, lower=1, overwrite_a=1)
    if failed:
        raise InputError(f"--ease_lambda {ease_lambda}: too small to invert the matrix of this log; give a larger one")
    inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    table = np.zeros((num_items + 1, num_items + 1), np.float32)
    diagonal = np.diag(inverse).copy()
    for row in range(num_items):
        table[row + 1, 1 : row + 1] = inverse[row, :row]
        table[row + 1, row + 2 :] = inverse[row + 1 :, row]
        table[row + 1, 1:] /= -diagonal
    return table
