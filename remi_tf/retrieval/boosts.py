"""Boosts: what the scores of a few items of each user are raised by, next to the inner products."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf


class Boosts(NamedTuple):
    """ids: `[B, X]` int32, 0 = none; amounts: `[B, X]` float32, 0 or more. The amounts of a repeated id add up."""

    ids: tf.Tensor
    amounts: tf.Tensor


def summed(ids: np.ndarray, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same boosts, each id once in its row: ids `[B, X]` int32, in order, 0 = none, and amounts `[B, X]`."""
    order = np.argsort(ids, axis=1, kind="stable")
    ids, amounts = np.take_along_axis(ids, order, 1), np.take_along_axis(amounts, order, 1)
    is_first = np.ones(ids.shape, bool)
    is_first[:, 1:] = ids[:, 1:] != ids[:, :-1]
    starts = np.flatnonzero(is_first)
    totals = np.zeros(ids.shape, np.float32)
    if ids.size:
        totals.ravel()[starts] = np.add.reduceat(amounts.ravel(), starts)
    is_first &= ids > 0
    return np.where(is_first, ids, 0).astype(np.int32), np.where(is_first, totals, 0)
