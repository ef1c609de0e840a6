"""Answers as columns."""

import numpy as np

from remi_tf.recommending.answer import Answer, no_columns


def test_places_without_an_item_are_no_rows_and_no_user_is_no_row():
    items = np.array([["b", "a"], ["c", ""]], object)
    numbers = np.array([[2.0, 1.0], [3.0, 0.0]], np.float32)
    columns = Answer(np.array([7, 4]), items, numbers, np.array([[0, 1], [2, 0]], np.int32)).columns()
    assert {name: values.tolist() for name, values in columns.items()} == {
        "user": [7, 7, 4],
        "rank": [1, 2, 1],
        "item": ["b", "a", "c"],
        "score": [2.0, 1.0, 3.0],
        "interest": [0, 1, 2],
    }
    assert columns.keys() == no_columns().keys() and not any(len(values) for values in no_columns().values())
