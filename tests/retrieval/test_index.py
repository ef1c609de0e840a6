import numpy as np

from remi_tf.retrieval.index import FlatIndex, merge
from remi_tf.retrieval.top_k import top_k


def random_data(seed, num_items=2000, batch=16):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((num_items + 1, 16), np.float32), rng.standard_normal((batch, 4, 16), np.float32)


def test_faiss_and_the_graph_agree_on_every_item():
    table, interests = random_data(0)
    ids, scores = FlatIndex(table).search(interests, 50)
    graph_ids, graph_scores = top_k(interests, table, 50, score_bytes=100_000)
    np.testing.assert_array_equal(ids, graph_ids)
    np.testing.assert_allclose(scores, graph_scores, rtol=1e-5, atol=1e-5)


def test_a_small_catalogue_is_returned_whole_and_then_nothing():
    table, interests = random_data(1, num_items=5, batch=2)
    ids, scores = FlatIndex(table).search(interests, 8)
    assert np.sort(ids, axis=1).tolist() == [[0, 0, 0, 1, 2, 3, 4, 5]] * 2
    assert np.isneginf(scores[:, 5:]).all()


def test_merging_keeps_an_items_best_score_and_drops_padding():
    ids = np.array([[3, 7, 0, 7, 3, 5]], np.int32)
    scores = np.array([[0.5, 0.2, 9.0, 0.9, 0.4, 0.2]], np.float32)
    merged_ids, merged_scores = merge(ids, scores, 4)
    assert merged_ids.tolist() == [[7, 3, 5, 0]]
    np.testing.assert_array_equal(merged_scores, np.array([[0.9, 0.5, 0.2, -np.inf]], np.float32))
