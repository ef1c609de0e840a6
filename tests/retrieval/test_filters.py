"""Filters on scores: a chunk at a time gives what the whole catalogue gives."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.retrieval.filters import Categories, make_filters

NUM_ITEMS = 12
SCORES = np.arange(1.0, 2 * NUM_ITEMS + 1, dtype=np.float32).reshape(2, NUM_ITEMS)  # of items 1 to 12, for two users
OF_ITEMS = tf.constant([0, 1, 2, 3, 1, 2, 3, 1, 2, 3, 0, 0, 1])


def left(chunk: int, **lists) -> list[list[int]]:
    """The items that each user may get, with the scores passed through the filters `chunk` items at a time."""
    parts = []
    for start in range(1, NUM_ITEMS + 1, chunk):
        scores = tf.constant(SCORES[:, start - 1 : start - 1 + chunk])
        for apply in make_filters(**lists):
            scores = apply(scores, tf.constant(start))
        parts.append(scores.numpy())
    scores = np.concatenate(parts, axis=1)
    allowed = np.isfinite(scores)
    np.testing.assert_array_equal(scores[allowed], SCORES[allowed])
    return [(1 + np.flatnonzero(row)).tolist() for row in allowed]


@pytest.mark.parametrize("chunk", [1, 5, 12])
def test_lists_hold_for_their_user_wherever_the_chunks_are_cut(chunk):
    exclude = tf.constant([[3, 12, 3], [0, 0, 0]])
    everything = list(range(1, NUM_ITEMS + 1))
    assert left(chunk, exclude=exclude) == [[n for n in everything if n not in (3, 12)], everything]
    allow = tf.constant([[0, 0], [12, 4]], tf.int64)
    assert left(chunk, allow=allow) == [everything, [4, 12]]
    categories = Categories(OF_ITEMS, tf.constant([[3, 1], [0, 0]]), total=3)
    assert left(chunk, categories=categories) == [[1, 3, 4, 6, 7, 9, 12], everything]
    assert left(chunk, exclude=exclude, allow=tf.constant([[3, 4], [5, 0]]), categories=categories) == [[4], [5]]


def test_an_item_without_category_is_of_none_that_can_be_wanted():
    categories = Categories(OF_ITEMS, tf.constant([[1, 2], [3, 0]]), total=3)
    assert not {10, 11} & {*left(5, categories=categories)[0], *left(5, categories=categories)[1]}


def test_nothing_asked_for_costs_nothing():
    assert make_filters() == []
