"""Faiss indexes: the exact one equals the graph and plain NumPy, the others find most and never what they may not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remi_tf.retrieval import faiss_index as index
from remi_tf.retrieval.faiss_index import ItemIndex, merge
from remi_tf.retrieval.top_k import top_k


def random_data(seed, num_items=2000, batch=16):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((num_items + 1, 16), np.float32), rng.standard_normal((batch, 4, 16), np.float32)


def brute_force(table, interests, k, exclude):
    """Every item's best score, sorted: nothing clever."""
    ids, scores = np.zeros((len(interests), k), np.int32), np.full((len(interests), k), -np.inf, np.float32)
    for user, vectors in enumerate(interests):
        best = (table @ vectors.T).max(axis=1)
        allowed = [row for row in range(1, len(table)) if row not in exclude[user]]
        ranked = sorted(allowed, key=lambda row: (-best[row], row))[:k]
        ids[user, : len(ranked)], scores[user, : len(ranked)] = ranked, best[ranked]
    return ids, scores


@st.composite
def small_integers(draw):
    """A table, interests and exclusions of small whole numbers: products are exact, ties and duplicates many."""
    num_items, batch, number, k, width = (
        draw(st.integers(*range_)) for range_ in ((1, 70), (1, 3), (1, 3), (1, 9), (0, 6))
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    largest = draw(st.sampled_from([0, 1, 3]))
    table = rng.integers(-largest, largest + 1, (num_items + 1, 3)).astype(np.float32)
    interests = rng.integers(-largest, largest + 1, (batch, number, 3)).astype(np.float32)
    return table, interests, k, rng.integers(0, num_items + 1, (batch, width)).astype(np.int32)


@settings(max_examples=60, deadline=None)
@given(small_integers())
def test_faiss_flat_and_the_graph_and_brute_force_are_one(case):
    """With ties, duplicates and exclusions."""
    table, interests, k, exclude = case
    expected_ids, expected_scores = brute_force(table, interests, k, exclude)
    ids, scores = ItemIndex.build(table).search(interests, k, exclude)
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_array_equal(scores, expected_scores)
    graph_ids, graph_scores = top_k(interests, table, k, exclude=exclude, score_bytes=500)
    np.testing.assert_array_equal(graph_ids, expected_ids)
    np.testing.assert_array_equal(graph_scores, expected_scores)


def test_faiss_and_the_graph_agree_on_every_item():
    table, interests = random_data(0)
    ids, scores = ItemIndex.build(table).search(interests, 50)
    graph_ids, graph_scores = top_k(interests, table, 50, score_bytes=100_000)
    np.testing.assert_array_equal(ids, graph_ids)
    np.testing.assert_allclose(scores, graph_scores, rtol=1e-5, atol=1e-5)


@pytest.mark.trains
@pytest.mark.parametrize(("kind", "effort"), [("hnsw", 128), ("ivf", 32), ("ivfpq", 32)])
def test_approximate_kinds_find_most_of_a_catalogue_with_uneven_norms_and_score_it_exactly(kind, effort):
    rng = np.random.default_rng(2)
    centres = rng.standard_normal((40, 16))
    table = centres[rng.integers(0, 40, 4001)] + 0.7 * rng.standard_normal((4001, 16))
    table = (table * rng.pareto(3, (4001, 1)).clip(0.3, 4)).astype(np.float32)
    interests = (centres[rng.integers(0, 40, (50, 4))] + 0.3 * rng.standard_normal((50, 4, 16))).astype(np.float32)
    exclude = rng.integers(0, 4001, (50, 20)).astype(np.int32)
    approximate = ItemIndex.build(table, kind)
    approximate.effort = effort
    ids, scores = approximate.search(interests, 50, exclude)
    exact, _ = ItemIndex.build(table).search(interests, 50, exclude)
    assert np.mean([len(np.intersect1d(*pair)) / 50 for pair in zip(ids, exact, strict=True)]) > 0.97
    best = np.einsum("bnd,bkd->bnk", table[ids], interests).max(axis=2)
    np.testing.assert_allclose(scores, best, rtol=1e-5)
    assert (np.diff(scores, axis=1) <= 0).all()
    assert all(len(set(row)) == 50 and not set(row) & {0, *gone} for row, gone in zip(ids, exclude, strict=True))


def test_a_small_catalogue_is_returned_whole_and_then_nothing():
    table, interests = random_data(1, num_items=5, batch=2)
    ids, scores = ItemIndex.build(table).search(interests, 8)
    assert np.sort(ids, axis=1).tolist() == [[0, 0, 0, 1, 2, 3, 4, 5]] * 2
    assert np.isneginf(scores[:, 5:]).all()


@pytest.mark.parametrize("kind", ["flat", "ivf"])
def test_little_memory_gives_the_same(kind, monkeypatch):
    table, interests = random_data(3)
    whole = ItemIndex.build(table, kind).search(interests, 20)
    monkeypatch.setattr(index, "RESCORED_BYTES", 1)
    by_one = ItemIndex.build(table, kind).search(interests, 20)
    np.testing.assert_array_equal(by_one[0], whole[0])
    np.testing.assert_allclose(by_one[1], whole[1], rtol=1e-6)
    assert ItemIndex.build(table, kind).search(interests[:0], 20)[0].shape == (0, 20)


def test_a_broken_interest_gets_nothing_and_harms_nobody():
    table, interests = random_data(1, batch=2)
    alone, _ = ItemIndex.build(table).search(interests[1:], 5)
    interests[0, 0, 0] = np.nan
    ids, scores = ItemIndex.build(table).search(interests, 5)
    assert not ids[0].any() and np.isneginf(scores[0]).all()
    np.testing.assert_array_equal(ids[1:], alone)


def test_merging_keeps_an_items_best_score_and_drops_padding():
    ids = np.array([[3, 7, 0, 7, 3, 5]], np.int32)
    scores = np.array([[0.5, 0.2, 9.0, 0.9, 0.4, 0.2]], np.float32)
    merged_ids, merged_scores = merge(ids, scores, 4)
    assert merged_ids.tolist() == [[7, 3, 5, 0]]
    np.testing.assert_array_equal(merged_scores, np.array([[0.9, 0.5, 0.2, -np.inf]], np.float32))
