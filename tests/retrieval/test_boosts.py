"""Boosts: added up, and added to scores alike by the graph and by an index."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from remi_tf.retrieval.boosts import Boosts, summed
from remi_tf.retrieval.faiss_index import ItemIndex
from remi_tf.retrieval.top_k import top_k


def drawn(seed, batch, num_items, width):
    """Boosts of small whole numbers, with repeats and with places that hold none."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, num_items + 1, (batch, width)).astype(np.int32), rng.integers(0, 9, (batch, width)) * 1.0


def dense(ids, amounts, num_items):
    """[B, I + 1]"""
    found = np.zeros((len(ids), num_items + 1))
    for user, (row, values) in enumerate(zip(ids, amounts, strict=True)):
        np.add.at(found[user], row, values)
    found[:, 0] = 0
    return found


def test_the_amounts_of_a_repeated_item_add_up():
    ids, amounts = summed(np.array([[3, 0, 3, 1], [0, 0, 0, 0]]), np.array([[1, 9, 0.5, 2], [5, 0, 0, 0]], np.float32))
    assert ids.tolist() == [[0, 1, 3, 0], [0, 0, 0, 0]]
    assert amounts.tolist() == [[0, 2, 1.5, 0], [0, 0, 0, 0]]
    assert summed(np.zeros([2, 0], np.int32), np.zeros([2, 0], np.float32))[0].shape == (2, 0)


@pytest.mark.trains
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    batch=st.integers(1, 4),
    num_items=st.integers(1, 90),
    width=st.integers(0, 40),
    k=st.integers(1, 20),
    chunk=st.integers(1, 50),
    excluded=st.integers(0, 6),
)
def test_the_graph_and_a_flat_index_rank_by_product_and_boost_whatever_is_left_out(
    seed, batch, num_items, width, k, chunk, excluded
):
    rng = np.random.default_rng(seed)
    table = rng.integers(-2, 3, (num_items + 1, 3)).astype(np.float32)
    interests = rng.integers(-2, 3, (batch, 2, 3)).astype(np.float32)
    exclude = rng.integers(0, num_items + 1, (batch, excluded)).astype(np.int32)
    ids, amounts = drawn(seed, batch, num_items, width)
    scores = np.einsum("bkd,vd->bkv", interests, table).max(axis=1) + dense(ids, amounts, num_items)
    scores[:, 0] = -np.inf
    for user, left_out in enumerate(exclude):
        scores[user, left_out] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(scores, order, axis=1)
    order = np.where(best > -np.inf, order, 0)

    boosts = Boosts(tf.constant(ids), tf.constant(amounts, tf.float32))
    by_graph = top_k(interests, table, k, exclude=exclude, boosts=boosts, score_bytes=chunk * batch * 2 * 4)
    by_index = ItemIndex.build(table).search(interests, k, exclude, summed(ids, amounts.astype(np.float32)))
    for found_ids, found_scores in (by_graph, by_index):
        np.testing.assert_array_equal(np.asarray(found_ids)[:, : order.shape[1]], order)
        np.testing.assert_allclose(np.asarray(found_scores)[:, : order.shape[1]], best)
        assert not np.asarray(found_ids)[:, order.shape[1] :].any()


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_an_approximate_index_never_misses_a_boosted_item(kind):
    rng = np.random.default_rng(0)
    table, interests = rng.standard_normal((2001, 8), np.float32), rng.standard_normal((5, 2, 8), np.float32)
    worst = (np.einsum("bkd,vd->bkv", interests, table).max(axis=1)[:, 1:]).argsort(axis=1)[:, :3] + 1
    boosts = np.sort(worst, axis=1).astype(np.int32), np.full((5, 3), 100, np.float32)
    ids, scores = ItemIndex.build(table, kind).search(interests, 3, boosts=boosts)
    assert np.array_equal(np.sort(ids, axis=1), boosts[0])
    products = np.einsum("bkd,bnd->bkn", interests, table[ids]).max(axis=1)
    np.testing.assert_allclose(scores, products + 100, rtol=1e-5)
