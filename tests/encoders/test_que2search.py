"""Que2Search: the fusion of the paper, on histories that are shorter than the table of weights."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.settings.encoders import encoder_settings

LENGTH, DIM = 5, 4


@pytest.fixture
def encoder():
    settings = encoder_settings(model_type="Que2Search", num_interests=1, embedding_dim=DIM, max_history=LENGTH)
    return make_encoder(settings, seed=2)


@pytest.fixture
def embeddings():
    return np.random.default_rng(0).normal(size=(2, LENGTH, DIM)).astype(np.float32)


def test_the_weights_are_a_softmax_over_the_concatenated_items(encoder, embeddings):
    """softmax(W [x_1 ‖ … ‖ x_L]) with W [L, L d], for a full history and for one of three items."""
    mask = np.arange(LENGTH) < np.array([[5], [3]])
    interests = encoder(tf.constant(embeddings), tf.constant(mask))
    matrix = encoder.fusion.numpy().reshape(LENGTH * DIM, LENGTH).T  # [L, L d]
    for user, items in ((0, 5), (1, 3)):
        joined = np.concatenate([embeddings[user, :items].ravel(), np.zeros((LENGTH - items) * DIM)])
        weights = np.exp(matrix @ joined)[:items]
        weights /= weights.sum()
        np.testing.assert_allclose(interests.routing[user, 0, :items], weights, rtol=1e-4)
        np.testing.assert_allclose(interests.vectors[user, 0], weights @ embeddings[user, :items], rtol=1e-4, atol=1e-6)


def test_an_item_changes_the_weights_of_the_others(encoder, embeddings):
    mask = tf.ones([2, LENGTH], tf.bool)
    before = encoder(tf.constant(embeddings), mask).routing[:, 0, 1:].numpy()
    embeddings[:, 0] += 1
    after = encoder(tf.constant(embeddings), mask).routing[:, 0, 1:].numpy()
    before, after = (x / x.sum(axis=1, keepdims=True) for x in (before, after))
    assert np.abs(before - after).max() > 1e-2


def test_an_empty_history_has_a_zero_interest(encoder, embeddings):
    interests = encoder(tf.constant(embeddings), tf.zeros([2, LENGTH], tf.bool))
    assert not interests.vectors.numpy().any() and not interests.routing.numpy().any()
