"""SINE: the paper's equations user by user, and what its parts mean."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.errors import InputError
from remi_tf.settings.encoders import encoder_settings
from remi_tf.settings.settings import Settings

LENGTH, DIM = 5, 8


def encoder_with(**settings):
    values = {"num_concepts": 10, "active_concepts": 3, **settings}
    return make_encoder(encoder_settings(model_type="SINE", embedding_dim=DIM, max_history=LENGTH, **values), seed=1)


@pytest.fixture
def items():
    return np.random.default_rng(0).normal(size=(3, LENGTH, DIM)).astype(np.float32)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def layer_norm(x):
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)


def in_numpy(encoder, x: np.ndarray) -> np.ndarray:
    """One user's vector from the items of the history, [n, d] → [d]."""
    k = encoder.settings.active_concepts
    table, w1, w3 = encoder.concepts.numpy(), encoder.choice_map.numpy(), encoder.item_map.numpy()
    w2, w4 = encoder.choice_query.numpy()[0], encoder.intention_query.numpy()[0]
    scores = table @ (softmax(np.tanh(x @ w1) @ w2) @ x)
    chosen = np.argsort(-scores)[:k]
    concepts = table[chosen] / (1 + np.exp(-scores[chosen]))[:, np.newaxis]
    about = softmax(unit(x @ w3) @ layer_norm(concepts).T)  # [n, k]
    interests = []
    for j in range(k):
        w_j = encoder.importance_maps.numpy()[:, j * DIM : (j + 1) * DIM]
        importance = softmax(np.tanh(x @ w_j) @ encoder.importance_queries.numpy()[j])
        interests.append(unit((about[:, j] * importance) @ x))
    expected = about @ concepts
    intention = layer_norm(softmax(np.tanh(expected @ w3) @ w4) @ expected)
    weights = softmax(np.array([interest @ intention for interest in interests]) / encoder.settings.concept_temperature)
    return weights @ np.array(interests)


@pytest.mark.parametrize("temperature", [0.1, 2.0])
def test_a_users_vector_is_the_papers(items, temperature):
    encoder, mask = encoder_with(concept_temperature=temperature), np.arange(LENGTH) < np.array([[5], [3], [1]])
    vectors = encoder(tf.constant(items), tf.constant(mask)).vectors.numpy()
    expected = [in_numpy(encoder, x[m].astype(np.float64)) for x, m in zip(items, mask, strict=True)]
    np.testing.assert_allclose(vectors[:, 0], expected, rtol=1e-4, atol=1e-5)


def test_concepts_that_were_not_chosen_neither_count_nor_learn(items):
    encoder, mask = encoder_with(concept_lambda=0.0), tf.ones([1, LENGTH], tf.bool)
    with tf.GradientTape() as tape:
        before = encoder(tf.constant(items[:1]), mask).vectors
        loss = tf.reduce_sum(before * tf.range(DIM, dtype=tf.float32))
    learning = np.abs(tf.convert_to_tensor(tape.gradient(loss, encoder.concepts))).max(axis=1) > 0
    assert learning.sum() == 3 and encoder.losses == []
    encoder.concepts.assign(np.where(learning[:, np.newaxis], encoder.concepts, 0.9 * encoder.concepts))
    np.testing.assert_array_equal(encoder(tf.constant(items[:1]), mask).vectors, before)


def test_the_concepts_scores_are_trained_though_the_choice_is_not(items):
    encoder = encoder_with()
    with tf.GradientTape() as tape:
        vectors = encoder(tf.constant(items), tf.ones([3, LENGTH], tf.bool)).vectors
        loss = tf.reduce_sum(vectors * tf.range(DIM, dtype=tf.float32))
    assert np.abs(tape.gradient(loss, encoder.choice_query)).max() > 0


def test_an_empty_history_has_a_zero_vector(items):
    assert not encoder_with()(tf.constant(items), tf.zeros([3, LENGTH], tf.bool)).vectors.numpy().any()


def test_the_concepts_decorrelation_is_weighted_and_arrives_as_a_loss():
    once, twice = encoder_with(concept_lambda=0.2), encoder_with(concept_lambda=0.4)
    centred = once.concepts.numpy() - once.concepts.numpy().mean(axis=1, keepdims=True)
    covariance = centred @ centred.T / DIM
    expected = 0.2 * sum(covariance[i, j] ** 2 for i in range(10) for j in range(i))
    assert float(sum(once.losses)) == pytest.approx(expected, rel=1e-5)
    assert float(sum(twice.losses)) == pytest.approx(2 * expected, rel=1e-5)


def test_more_active_concepts_than_concepts_are_refused():
    with pytest.raises(InputError, match=r"--active_concepts 5 --num_concepts 4: .* fewer active"):
        Settings().replace(model_type="SINE", num_interests=1, active_concepts=5, num_concepts=4)
