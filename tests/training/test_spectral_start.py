"""The spectral start: it is the SVD it claims to be, in blocks, for any log."""

import numpy as np
import pytest

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.training import spectral_start as module
from remi_tf.training.spectral_start import spectral_start


def log_of(sequences):
    lengths = np.array([len(items) for items in sequences])
    items = np.concatenate([np.asarray(items, np.int32) for items in sequences])
    return Interactions(items, np.arange(len(items)), np.concatenate([[0], np.cumsum(lengths)]), lengths)


@pytest.fixture
def log():
    """40 items, some of them more popular; item 40 belongs to nobody, and users repeat items."""
    rng = np.random.default_rng(3)
    popular = np.arange(1, 40) ** -0.7
    return log_of([rng.choice(np.arange(1, 40), rng.integers(2, 15), p=popular / popular.sum()) for _ in range(200)])


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_directions_are_the_singular_vectors_of_the_normalised_log(log):
    matrix = np.zeros((200, 41))
    for user in range(200):
        matrix[user, log.items[log.offsets[user] : log.offsets[user + 1]]] = 1
    of_user, of_item = matrix.sum(axis=1, keepdims=True), np.maximum(matrix.sum(axis=0), 1)
    vectors = np.linalg.svd(matrix / np.sqrt(of_user * of_item), full_matrices=False)[2][:6].T
    ours, theirs = unit(spectral_start(log, 40, 6, seed=1)[1:40]), unit(vectors[1:40])
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=2e-3)
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=5e-3)


def test_items_of_the_same_users_are_near_and_of_different_users_are_not():
    rng = np.random.default_rng(0)
    tastes = np.arange(1, 61).reshape(3, 20)
    rows = unit(spectral_start(log_of([rng.choice(tastes[u % 3], 6) for u in range(300)]), 60, 8, seed=1)[1:])
    cosine = (rows @ rows.T).reshape(3, 20, 3, 20).mean(axis=(1, 3))
    assert cosine.diagonal().min() > np.abs(cosine - np.diag(cosine.diagonal())).max() + 0.1


def test_popular_items_have_longer_rows_and_an_item_of_nobody_has_a_direction_too(log):
    rows = spectral_start(log, 40, 6, seed=1)
    counts, lengths = np.bincount(log.items, minlength=41), np.linalg.norm(rows, axis=1)
    order = np.argsort(counts[1:], kind="stable")
    assert (np.diff(lengths[1:][order]) >= -1e-5).all() and lengths[counts.argmax()] > 1.2 * lengths[40] > 0
    assert not rows[0].any()


def test_reading_the_log_in_blocks_gives_the_same_rows(log, monkeypatch):
    whole = spectral_start(log, 40, 6, seed=1)
    monkeypatch.setattr(module, "BLOCK", 50)
    monkeypatch.setattr(module, "ROWS", 7)
    np.testing.assert_allclose(spectral_start(log, 40, 6, seed=1), whole, atol=1e-3)


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_random_rows(log):
    first, again, other = (spectral_start(log, 40, 6, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first[40] - other[40]).max() > 0.1


@pytest.mark.parametrize("dim", [1, 3, 64])
@pytest.mark.parametrize("sequences", [[[1]], [[1, 2, 3]], [[1, 2], [3, 3], [2, 1], [1, 3, 2]]])
def test_small_logs_fill_every_dimension(sequences, dim):
    rows = spectral_start(log_of(sequences), 3, dim, seed=1)
    assert rows.shape == (4, dim) and rows.dtype == np.float32 and np.isfinite(rows).all()
    assert rows.any(axis=0).all() and rows[1:].any(axis=1).all()
