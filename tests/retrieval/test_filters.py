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


@pytest.mark.parametrize("chunk", [1, 5, 12])
def test_a_list_that_all_share_gives_what_a_copy_for_each_gives(chunk):
    lists = {"exclude": [[3, 0, 12, 3]], "allow": [[4, 12, 3, 9]], "categories": [[3, 0, 1]]}
    for names in (("exclude",), ("allow",), ("categories",), tuple(lists)):
        answers = []
        for copies in (1, 2):
            given = {name: tf.constant(lists[name] * copies) for name in names}
            if "categories" in given:
                given["categories"] = Categories(OF_ITEMS, given["categories"], total=3)
            answers.append(left(chunk, **given))
        assert answers[0] == answers[1]


def test_exclude_lists_add_up():
    own, shared = tf.constant([[1], [2]]), tf.constant([[12, 11]])
    everything = set(range(1, NUM_ITEMS + 1))
    assert left(5, exclude=[own, shared]) == [sorted(everything - {1, 11, 12}), sorted(everything - {2, 11, 12})]


def test_no_tensor_is_as_large_as_the_names_that_are_sent_times_the_categories():
    """A request decides how many names it sends; a table of names x categories took gigabytes."""
    names, total = 1009, 2003
    of_items = tf.zeros([NUM_ITEMS + 1], tf.int32)

    @tf.function(input_signature=[tf.TensorSpec([2, names], tf.int32)])
    def filtered(wanted):
        (apply,) = make_filters(categories=Categories(of_items, wanted, total))
        return apply(tf.constant(SCORES), tf.constant(1))

    graph = filtered.get_concrete_function().graph
    sizes = [
        tensor.shape.num_elements() or 0
        for each in (graph, *graph._functions.values())
        if hasattr(each, "get_operations")
        for op in each.get_operations()
        for tensor in op.outputs
        if tensor.shape.is_fully_defined()
    ]
    assert max(sizes) < names * total


def test_nothing_asked_for_costs_nothing():
    assert make_filters() == []
