import resource

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from remi_tf.encoders.base import Interests
from remi_tf.retrieval.filters import Categories
from remi_tf.retrieval.top_k import GROUP, chunk_rows, top_k
from remi_tf.systems import recommend


def reference(interests, table, k, exclude=None, allow=None, of_items=None, wanted=None):
    """Top k of max_k v_k·e_i by a stable full sort, user by user; ids 0 and -inf fill the rest."""
    scores = np.einsum("bkd,vd->bkv", interests, table).max(axis=1)
    scores[:, 0] = -np.inf
    if exclude is not None:
        for user, ids in enumerate(exclude):
            scores[user, ids] = -np.inf
    for user, ids in enumerate([] if allow is None else allow):
        if ids.any():
            scores[user, ~np.isin(np.arange(len(table)), ids)] = -np.inf
    for user, categories in enumerate([] if wanted is None else wanted):
        if categories.any():
            scores[user, ~np.isin(of_items, categories[categories > 0])] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(scores, order, axis=1)
    missing = ((0, 0), (0, max(0, k - order.shape[1])))
    return np.pad(np.where(best > -np.inf, order, 0), missing), np.pad(best, missing, constant_values=-np.inf)


def whole_numbers(seed, *shape):
    """Small whole numbers: products are exact in float32, and ties are many."""
    return np.random.default_rng(seed).integers(-2, 3, shape).astype(np.float32)


@pytest.mark.trains
@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    batch=st.integers(0, 4),
    num_items=st.integers(1, 5 * GROUP),
    k=st.integers(1, 40),
    chunk=st.integers(1, 6 * GROUP),
    excluded=st.integers(0, 6),
    allowed=st.integers(0, 60),
    categories=st.integers(0, 2),
)
def test_equals_a_full_sort_with_ties_by_lower_id_for_every_chunk_size_and_every_filter(
    seed, batch, num_items, k, chunk, excluded, allowed, categories
):
    table, interests = whole_numbers(seed, num_items + 1, 3), whole_numbers(seed + 1, batch, 2, 3)
    draw = np.random.default_rng(seed)
    exclude = draw.integers(0, num_items + 1, (batch, excluded)).astype(np.int32)
    allow = draw.integers(0, num_items + 1, (batch, allowed)).astype(np.int32) * (draw.random((batch, 1)) < 0.6)
    of_items = draw.integers(0, 4, num_items + 1)
    wanted = draw.integers(0, 4, (batch, categories))
    ids, scores = top_k(
        interests, table, k, exclude=tf.constant(exclude), allow=tf.constant(allow),
        categories=Categories(tf.constant(of_items, tf.int32), tf.constant(wanted, tf.int32), 3),
        score_bytes=chunk * batch * 2 * 4,
    )  # fmt: skip
    expected_ids, expected_scores = reference(interests, table, k, exclude, allow, of_items, wanted)
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_array_equal(scores, expected_scores)


def test_two_stages_inside_a_large_chunk_equal_a_full_sort():
    table, interests = whole_numbers(0, 5001, 4), whole_numbers(1, 7, 4, 4)
    ids, scores = top_k(interests, table, 20)
    expected_ids, expected_scores = reference(interests, table, 20)
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_array_equal(scores, expected_scores)


def test_padding_is_never_recommended_even_when_its_row_scores_best():
    table = whole_numbers(0, 100, 4)
    table[0] = 1000.0
    ids, _ = top_k(np.ones((3, 2, 4), np.float32), table, 99)
    assert np.asarray(ids).min() == 1


def test_excluded_items_never_appear_and_the_order_of_the_rest_is_unchanged():
    rng = np.random.default_rng(0)
    table, interests = rng.standard_normal((400, 8)), rng.standard_normal((5, 3, 8))
    everything = np.asarray(top_k(interests, table, 399)[0])
    exclude = everything[:, [0, 3, 3, 10]].astype(np.int32)
    ids = np.asarray(top_k(interests, table, 20, exclude=tf.constant(exclude))[0])
    for user in range(5):
        rest = [item for item in everything[user] if item not in exclude[user]]
        assert ids[user].tolist() == rest[:20]


def test_more_than_the_catalogue_holds_ends_in_nothing():
    ids, scores = top_k(np.ones((1, 1, 2), np.float32), np.ones((4, 2), np.float32), 6)
    assert np.asarray(ids).tolist() == [[1, 2, 3, 0, 0, 0]]
    assert np.asarray(scores).tolist() == [[2.0, 2.0, 2.0] + [-np.inf] * 3]


def test_a_user_with_a_broken_interest_gets_nothing_and_the_others_are_untouched():
    interests, table = whole_numbers(0, 3, 2, 4), whole_numbers(1, 200, 4)
    expected = np.asarray(top_k(interests, table, 10)[0])
    interests[1, 0, 2] = np.nan
    ids, scores = (np.asarray(result) for result in top_k(interests, table, 10))
    assert not ids[1].any() and np.isneginf(scores[1]).all()
    np.testing.assert_array_equal(ids[[0, 2]], expected[[0, 2]])


def test_an_item_whose_vector_is_nan_is_not_retrievable():
    interests, table = whole_numbers(0, 3, 2, 4), whole_numbers(1, 200, 4)
    broken = table.copy()
    broken[[5, 90, 199]] = np.nan
    ids, scores = top_k(interests, broken, 199)
    expected_ids, _ = reference(interests, table, 199, np.array([[5, 90, 199]] * 3))
    np.testing.assert_array_equal(ids, expected_ids)
    assert not np.isnan(scores).any()


def test_one_graph_serves_every_batch_size_and_an_empty_batch():
    table = tf.Variable(whole_numbers(0, 300, 4))
    traces = []

    @tf.function(input_signature=[tf.TensorSpec([None, 2, 4]), tf.TensorSpec([None, None], tf.int32)])
    def graph(interests, exclude):
        traces.append(1)
        return top_k(interests, table, 10, exclude=exclude, score_bytes=4000)

    for batch in (0, 1, 9):
        interests, exclude = whole_numbers(batch, batch, 2, 4), np.zeros((batch, batch), np.int32)
        ids, _ = graph(interests, exclude)
        assert ids.shape == (batch, 10)
        np.testing.assert_array_equal(ids, reference(interests, table.numpy(), 10)[0])
    assert len(traces) == 1


@pytest.mark.parametrize(("batch", "interests"), [(1, 1), (32, 4), (256, 4), (256, 16)])
def test_a_chunk_of_scores_stays_within_its_bytes(batch, interests):
    bound = 2**20
    rows = int(chunk_rows(tf.constant(batch), tf.constant(interests), bound))
    assert bound // 2 < rows * batch * interests * 4 <= bound


def test_memory_does_not_grow_with_batch_times_catalogue_whatever_is_filtered():
    """All scores at once would be 128 users x 4 interests x 500,000 items x 4 bytes = 1 GB."""
    table, interests = tf.ones([500_001, 2]), tf.ones([128, 4, 2])
    first = tf.tile(tf.range(1, 11)[None], [128, 1])
    categories = Categories(tf.ones([500_001], tf.int32), tf.ones([128, 1], tf.int32), 1)
    graph = tf.function(
        lambda: top_k(
            interests, table, 10, exclude=first + 20, allow=first, categories=categories, score_bytes=8 * 2**20
        )
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes
    ids, _ = graph()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000
    assert ids[0].numpy().tolist() == list(range(1, 11))


class TinyModel:
    """Interests that are the first two items' vectors."""

    max_history = 3
    needs = ()
    boost = None

    def __init__(self, table):
        self.item_table = tf.Variable(table)

    def item_vectors(self):
        return tf.convert_to_tensor(self.item_table)

    def encode(self, history):
        return Interests(tf.gather(self.item_table, history[:, :2]))


def test_an_empty_history_gets_the_popular_items():
    model = TinyModel(whole_numbers(0, 50, 4))
    ids, scores = recommend(model, tf.constant([[0, 0, 0], [4, 9, 0]]), 5)
    assert ids[0].numpy().tolist() == [1, 2, 3, 4, 5]
    assert scores[0].numpy().tolist() == [0.0] * 5
    np.testing.assert_array_equal(
        ids[1], reference(model.encode(np.array([[4, 9]])).vectors, model.item_table, 5)[0][0]
    )


def test_a_history_can_be_left_out_of_its_own_recommendations():
    model = TinyModel(whole_numbers(0, 50, 4))
    history = np.array([[4, 9, 1]])
    ids, _ = recommend(model, tf.constant(history), 10, exclude_history=True)
    np.testing.assert_array_equal(ids, reference(model.encode(history).vectors, model.item_table, 10, history)[0])
