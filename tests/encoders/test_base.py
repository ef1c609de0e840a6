"""What encoders share: attention that never sees padding, dropout by seed, initial weights."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders.base import Interests, attention, dropout, kaiming_normal

MASK = tf.constant([[True, True, False], [True, False, False], [False, False, False]])


def test_attention_is_a_softmax_over_what_is_there():
    logits = tf.constant(np.random.default_rng(0).normal(size=(3, 2, 3)), tf.float32)
    weights = attention(logits, MASK).numpy()
    np.testing.assert_allclose(weights[0, :, :2], tf.nn.softmax(logits[0, :, :2]), rtol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=-1), [[1, 1], [1, 1], [0, 0]], rtol=1e-6)
    assert not weights[~np.broadcast_to(MASK.numpy()[:, np.newaxis], weights.shape)].any()


def test_what_padding_scores_changes_no_weight_and_no_gradient():
    logits = tf.constant(np.random.default_rng(0).normal(size=(3, 2, 3)), tf.float32)
    loud = tf.where(MASK[:, tf.newaxis], logits, 1e9)
    np.testing.assert_array_equal(attention(logits, MASK), attention(loud, MASK))
    with tf.GradientTape() as tape:
        tape.watch(loud)
        total = tf.reduce_sum(attention(loud, MASK) * tf.range(3.0))
    gradient = tape.gradient(total, loud).numpy()
    assert np.isfinite(gradient).all() and not gradient[2].any()


def test_dropout_keeps_the_mean_and_is_a_function_of_seed_and_place():
    inputs, seed = tf.ones([100, 100]), tf.constant([1, 2])
    dropped = dropout(inputs, 0.25, seed, 0)
    assert float(tf.reduce_mean(dropped)) == pytest.approx(1, abs=0.03)
    assert float(tf.reduce_mean(tf.cast(dropped == 0, tf.float32))) == pytest.approx(0.25, abs=0.02)
    np.testing.assert_array_equal(dropped, dropout(inputs, 0.25, seed, 0))
    assert (dropped != dropout(inputs, 0.25, seed, 1)).numpy().any()


def test_outside_training_and_at_rate_0_nothing_is_dropped():
    inputs = tf.ones([4, 4])
    assert dropout(inputs, 0.5, None, 0) is inputs and dropout(inputs, 0.0, tf.constant([1, 2]), 0) is inputs


@pytest.mark.parametrize("fan_in", [8, 200])
def test_weights_spread_by_what_comes_in(fan_in):
    weights = kaiming_normal(fan_in, seed=3)([500, 100]).numpy()
    assert weights.var() * fan_in == pytest.approx(2, rel=0.05) and np.abs(weights.mean()) < 0.01


def test_an_encoder_need_give_nothing_but_vectors():
    assert Interests(tf.zeros([1, 1, 2]))[1:] == (None, None, None, None)
