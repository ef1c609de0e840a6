"""Readouts: which interest answers."""

import numpy as np
import tensorflow as tf

from remi_tf.config import Settings
from remi_tf.encoders.base import Interests
from remi_tf.objective.readout import READOUTS

SEED = tf.constant([1, 2])


def read(name, interests, target, negatives, **settings):
    readout = READOUTS[name](Settings().replace(readout=name, **settings), 0)
    return readout(Interests(tf.convert_to_tensor(interests)), tf.constant(target), tf.constant(negatives), SEED)


def test_hard_readout_scores_everything_with_the_interest_closest_to_the_target():
    generator = np.random.default_rng(0)
    interests, target = generator.normal(size=(5, 4, 3)), generator.normal(size=(5, 3))
    negatives = generator.normal(size=(7, 3))
    positive, negative = read("hard", interests, target, negatives)
    for user in range(5):
        chosen = interests[user, np.argmax(interests[user] @ target[user])]
        np.testing.assert_allclose(positive[user], chosen @ target[user])
        np.testing.assert_allclose(negative[user], negatives @ chosen)


def test_the_other_interests_get_no_gradient():
    interests = tf.constant([[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]])
    with tf.GradientTape() as tape:
        tape.watch(interests)
        positive, negative = read("hard", interests, [[0.2, 0.9]], [[1.0, 1.0], [2.0, 0.5]])
        loss = tf.reduce_sum(positive) + tf.reduce_sum(negative)
    gradient = tape.gradient(loss, interests)[0].numpy()
    assert gradient[1].any() and not gradient[[0, 2]].any()
