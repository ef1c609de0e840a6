"""Readouts: which interest answers."""

import numpy as np
import tensorflow as tf

from remi_tf.objective.readout import hard


def test_hard_readout_scores_everything_with_the_interest_closest_to_the_target():
    generator = np.random.default_rng(0)
    interests, target = generator.normal(size=(5, 4, 3)), generator.normal(size=(5, 3))
    negatives = generator.normal(size=(7, 3))
    positive, negative = hard(*map(tf.constant, (interests, target, negatives)))
    for user in range(5):
        chosen = interests[user, np.argmax(interests[user] @ target[user])]
        np.testing.assert_allclose(positive[user], chosen @ target[user])
        np.testing.assert_allclose(negative[user], negatives @ chosen)


def test_the_other_interests_get_no_gradient():
    interests = tf.constant([[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]])
    with tf.GradientTape() as tape:
        tape.watch(interests)
        positive, negative = hard(interests, tf.constant([[0.2, 0.9]]), tf.constant([[1.0, 1.0], [2.0, 0.5]]))
        loss = tf.reduce_sum(positive) + tf.reduce_sum(negative)
    gradient = tape.gradient(loss, interests)[0].numpy()
    assert gradient[1].any() and not gradient[[0, 2]].any()
