"""What every registered encoder promises."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.config import EncoderSettings
from remi_tf.encoders import ENCODERS, make_encoder

LENGTH, DIM, INTERESTS = 6, 8, 3


@pytest.fixture(params=sorted(ENCODERS))
def encoder(request):
    settings = EncoderSettings(model_type=request.param, embedding_dim=DIM, max_history=LENGTH, num_interests=INTERESTS)
    return make_encoder(settings, seed=3)


@pytest.fixture
def batch():
    generator = np.random.default_rng(1)
    embeddings = generator.normal(size=(4, LENGTH, DIM)).astype(np.float32)
    mask = np.arange(LENGTH) < np.array([[1], [3], [5], [6]])
    return embeddings, mask


def test_shapes(encoder, batch):
    interests = encoder(*map(tf.constant, batch))
    assert interests.vectors.shape == (4, INTERESTS, DIM)
    assert (interests.routing is not None) == ENCODERS[encoder.settings.model_type].routing
    if interests.routing is not None:
        assert interests.routing.shape == (4, INTERESTS, LENGTH)


def test_what_a_padded_slot_holds_never_changes_the_interests(encoder, batch):
    embeddings, mask = batch
    noise = np.where(mask[..., np.newaxis], embeddings, 1e3).astype(np.float32)
    clean, noisy = encoder(tf.constant(embeddings), tf.constant(mask)), encoder(tf.constant(noise), tf.constant(mask))
    np.testing.assert_array_equal(clean.vectors, noisy.vectors)


def test_a_users_interests_do_not_depend_on_the_rest_of_the_batch(encoder, batch):
    embeddings, mask = map(tf.constant, batch)
    whole = encoder(embeddings, mask).vectors
    alone = tf.concat([encoder(embeddings[i : i + 1], mask[i : i + 1]).vectors for i in range(4)], axis=0)
    np.testing.assert_allclose(whole, alone, rtol=1e-5, atol=1e-6)


def test_the_same_seed_gives_the_same_encoder(encoder, batch):
    twin = make_encoder(encoder.settings, seed=3)
    embeddings, mask = map(tf.constant, batch)
    np.testing.assert_array_equal(encoder(embeddings, mask).vectors, twin(embeddings, mask).vectors)


def test_every_weight_receives_a_gradient(encoder, batch):
    embeddings, mask = map(tf.constant, batch)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(encoder(embeddings, mask).vectors))
    for variable, gradient in zip(
        encoder.trainable_variables, tape.gradient(loss, encoder.trainable_variables), strict=True
    ):
        assert gradient is not None and np.abs(gradient).max() > 0, variable.name
