"""Top k of a model's own scores: as top_k of the same scores, however few users are scored at a time."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.retrieval.filters import Categories
from remi_tf.retrieval.top_k import top_k
from remi_tf.retrieval.top_scores import top_scores

ITEMS, USERS = 70, 7
TABLE = np.random.default_rng(0).integers(-3, 4, [USERS + 1, ITEMS + 1]).astype(np.float32)  # many ties


def scores(history):
    return tf.gather(TABLE, history[:, 0])


HISTORY = tf.constant([[user] for user in range(1, USERS + 1)])
FILTERS = [
    {},
    {"exclude": [tf.constant([[user, 5, 0] for user in range(USERS)]), tf.constant([[9, 9]])]},
    {"allow": tf.constant([[3, 4, 50]])},
    {"allow": tf.constant([[user, 60] if user % 2 else [0, 0] for user in range(USERS)])},
    {
        "categories": Categories(
            tf.constant(np.arange(ITEMS + 1) % 4), tf.constant([[user % 4] for user in range(USERS)]), 3
        )
    },
]


@pytest.mark.parametrize("limits", FILTERS)
@pytest.mark.parametrize("together", [1, 3, 100])
@pytest.mark.parametrize("k", [4, ITEMS + 5])
def test_equals_top_k_of_the_same_scores(limits, together, k):
    found = tf.function(lambda: top_scores(scores, HISTORY, k, user_bytes=10, score_bytes=10 * together, **limits))()
    one_hot = tf.one_hot(HISTORY, USERS + 1)  # [U, 1, USERS + 1]: interests that pick their user's scores
    expected = top_k(one_hot, TABLE.T, k, **limits)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


def test_a_user_is_scored_even_where_one_takes_more_than_there_may_be():
    assert top_scores(scores, HISTORY, 2, user_bytes=1000, score_bytes=1)[0].shape == (USERS, 2)


def test_nobody_gets_nothing():
    assert top_scores(scores, HISTORY[:0], tf.constant(3), user_bytes=1)[0].shape == (0, 3)
