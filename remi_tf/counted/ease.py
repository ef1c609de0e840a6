"""EASE: a linear model of all items, in closed form (Steck, WWW'19)."""

import os
from pathlib import Path
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

    def __init__(self, settings: Any, num_items: int):
        super().__init__(settings, num_items)
        self.table = tf.Variable(tf.zeros([num_items + 1, num_items + 1]), trainable=False, name="table")

    @classmethod
    def refuse(cls, num_items: int) -> None:
        """See the base class."""
        needed, there = BYTES_A_PAIR * (num_items + 1) ** 2, available_memory()
        if there is not None and needed > there:
            raise InputError(
                f"--model_type EASE: its table of {num_items:,} × {num_items:,} items needs about {needed:,} bytes of "
                f"memory, and {there:,} are available; take --model_type ItemKNN, which keeps a list for each item, "
                "or prepare the log with a larger --min_count"
            )

    @property
    def tables(self) -> dict[str, tf.Variable]:
        """See the base class."""
        return {"table": self.table, "age_weights": self.age_weights}

    @property
    def user_bytes(self) -> int:
        """See the base class."""
        return 2 * super().user_bytes

    def count_table(self, train: Interactions) -> None:
        """See the base class."""
        users = read_once(train, self.num_items)
        self.table.assign(closed_form(users[:, 1:], self.settings.ease_lambda))

    def scores(self, history: tf.Tensor) -> tf.Tensor:
        """See the base class."""
        batch, width = tf.shape(history, tf.int64)[0], self.num_items + 1
        users, rows, weights = self.weighted(history)  # [m]
        places = users * width + tf.cast(rows, tf.int64)
        read = tf.reshape(tf.math.unsorted_segment_sum(weights, places, batch * width), [batch, width])
        return tf.matmul(read, tf.convert_to_tensor(self.table))  # [B, I + 1]

    def similar(self, row: int) -> np.ndarray:
        """See the base class."""
        return np.maximum(self.table[row].numpy(), 0)


def closed_form(users: Any, ease_lambda: float) -> np.ndarray:
    """`[I + 1, I + 1]` float32 B, its row and column of padding 0.

    users: sparse `[users, I]`.
    """
    num_items = users.shape[1]
    gram, items = np.empty((num_items, num_items), order="F"), users.T.tocsr()
    for start, end in blocks(np.full(num_items, num_items)):
        gram[start:end] = (items[start:end] @ users).toarray()
    gram[np.diag_indices(num_items)] += ease_lambda
    # Its lower half becomes the Cholesky factor, then P, in place: there is never a second matrix of this size.
    factor, _ = lapack.dpotrf(gram, lower=1, overwrite_a=1)
    inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    table = np.zeros((num_items + 1, num_items + 1), np.float32)
    diagonal = np.diag(inverse).copy()
    for row in range(num_items):
        table[row + 1, 1 : row + 1] = inverse[row, :row]
        table[row + 1, row + 2 :] = inverse[row + 1 :, row]
        table[row + 1, 1:] /= -diagonal
    return table


def available_memory() -> int | None:
    """Bytes that a process may still take, by the system and by the limit of its container; None if nobody tells."""
    found = []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")]
    except OSError:  # not Linux
        if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
            found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    group = Path("/sys/fs/cgroup")
    try:
        limit, used = ((group / name).read_text(encoding="ascii").strip() for name in ("memory.max", "memory.current"))
        found += [int(limit) - int(used)] if limit != "max" else []
    except OSError:
        pass
    return min(found, default=None)
