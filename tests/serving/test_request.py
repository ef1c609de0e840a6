"""From a request to what the model reads, row by row."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from remi_tf.data.dataset.views import day_numbers
from remi_tf.serving.request import days, first_message, last_known, list_a_row, one_a_row, over_history, slots


@given(st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), min_size=1, max_size=4), st.integers(1, 7))
def test_the_last_known_rows_are_kept_in_order(rows, length):
    kept = last_known(tf.constant(rows, tf.int32), tf.constant(rows, tf.int32), length).numpy().tolist()
    for row, result in zip(rows, kept, strict=True):
        known = [item for item in row if item][-length:]
        assert result == known + [0] * (length - len(known))


LENGTH = 3
ROWS = tf.constant([[0, 5, 7, 0, 9, 4], [0, 0, 0, 0, 0, 8]])  # what a request's ids are; 0 is unknown


def test_every_item_that_is_read_has_one_slot_in_order():
    assert slots(ROWS, LENGTH).numpy().tolist() == [[-1, -1, 0, -1, 1, 2], [-1, -1, -1, -1, -1, 0]]


def test_values_go_with_their_items():
    values = 10 * ROWS
    assert last_known(values, ROWS, LENGTH).numpy().tolist() == [[70, 90, 40], [80, 0, 0]]


def test_a_routing_is_put_back_where_its_items_stand_in_the_request():
    routing = tf.constant([[[0.2, 0.3, 0.5]], [[1.0, 0.0, 0.0]]])
    spread = over_history(routing, ROWS).numpy()
    np.testing.assert_allclose(spread[:, 0], [[0, 0, 0.2, 0, 0.3, 0.5], [0, 0, 0, 0, 0, 1]])


def test_days_are_those_of_training_whatever_a_client_sends():
    seconds = tf.constant([[0, 1, 1_400_000_000, 2, 2**62, -(2**62)], [0, 0, 0, 0, 0, 43_201]], tf.int64)
    found = days(seconds, ROWS, LENGTH).numpy()
    assert found[0, 0] == day_numbers(np.array([1_400_000_000]))[0] and found[1].tolist() == [1, 0, 0]
    assert abs(found).max() < 2**30  # the difference of two of them fits into 32 bits
    with pytest.raises(tf.errors.InvalidArgumentError, match="timestamps must have the shape of history"):
        days(seconds[:, 1:], ROWS, LENGTH)


def test_a_choice_holds_for_all_rows_or_each_row_has_its_own():
    two = tf.constant(2)
    assert one_a_row("top_n", tf.constant(7), two).numpy().tolist() == [7, 7]
    assert one_a_row("top_n", tf.constant([[7], [8]]), two).numpy().tolist() == [7, 8]
    assert list_a_row("allow", tf.constant([["a", "b"]]), two).shape == [1, 2]  # not copied for each row
    assert list_a_row("allow", tf.constant([["a"], ["b"]]), two).shape == [2, 1]
    for give in (one_a_row, list_a_row):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"top_n: give one .* for the whole batch, or one for"):
            give("top_n", tf.constant([[1], [2], [3]]), two)


def test_a_row_is_told_the_first_thing_that_is_wrong_with_it():
    first, second = tf.constant([True, False, False]), tf.constant([True, True, False])
    texts = first_message(tf.constant(3), (first, "one"), (second, tf.constant(["a", "b", "c"])))
    assert texts.numpy().tolist() == [b"one", b"b", b""]
