"""What a loss sees: which negatives do not count."""

import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.objective.example import Example
from remi_tf.objective.negatives import Negatives


def example(target, ids, **options):
    rows = tf.zeros([len(ids), 2])
    target = tf.constant(target)
    history = tf.zeros([len(target), 3], tf.int32)
    vectors = tf.zeros([len(target), 1, 2])
    negatives = Negatives(tf.constant(ids), **options)
    return Example(
        history, tf.zeros([len(target), 3, 2]), target, vectors[:, 0], negatives, rows, Interests(vectors), [1, 2]
    )


def test_a_negative_is_left_out_for_the_user_whose_target_it_is_and_for_nobody_else():
    batch = example([5, 7], [7, 3, 5, 7])
    assert batch.excluded(True).numpy().tolist() == [[False, False, True, False], [True, False, False, True]]


def test_each_item_is_followed_by_the_next_one_and_the_last_by_the_target():
    history = tf.constant([[1, 2, 3], [4, 0, 0], [0, 0, 0]])
    batch = example([7, 8, 9], [5])._replace(
        history=history,
        history_rows=tf.cast(history, tf.float32)[..., tf.newaxis],
        target_rows=tf.constant([[7.0], [8.0], [9.0]]),
    )
    ids, rows = batch.following()
    for user, slot, item in [(0, 0, 2), (0, 1, 3), (0, 2, 7), (1, 0, 8)]:
        assert (int(ids[user, slot]), float(rows[user, slot, 0])) == (item, item)


def test_without_masking_every_negative_counts():
    assert example([5, 7], [7, 3, 5, 7]).excluded(False) is None


def test_targets_that_are_sure_to_be_drawn_are_left_out_whatever_the_setting():
    batch = example([5, 7], [5, 7], holds_targets=True)
    for masked in (True, False):
        assert batch.excluded(masked).numpy().tolist() == [[True, False], [False, True]]
