"""Losses: an example in, weighted parts out."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.objective.example import Example
from remi_tf.objective.losses import LOSSES
from remi_tf.objective.negatives import Negatives
from remi_tf.settings.settings import Settings

HISTORY = tf.constant([[1, 2], [3, 0]])
TARGET, NEGATIVES = np.array([4, 5]), np.array([6, 4, 7])  # the second negative is row 0's target
LOG_Q, TARGET_LOG_Q = np.array([-1.0, -0.5, -2.0]), np.array([-0.3, -3.0])


@pytest.fixture
def example():
    generator = np.random.default_rng(4)
    table = tf.constant(generator.normal(size=(8, 3)), tf.float32)
    interests = Interests(tf.constant(generator.normal(size=(2, 4, 3)), tf.float32))
    negatives = Negatives(
        tf.constant(NEGATIVES, tf.int32), tf.constant(LOG_Q, tf.float32), tf.constant(TARGET_LOG_Q, tf.float32)
    )
    rows = [tf.gather(table, ids) for ids in (HISTORY, TARGET, NEGATIVES)]
    return Example(
        HISTORY, rows[0], tf.constant(TARGET, tf.int32), rows[1], negatives, rows[2], interests, tf.constant([1, 2])
    )


def without_log_q(example):
    return example._replace(negatives=Negatives(example.negatives.ids))


def in_numpy(example, beta, corrected):
    """BaM's second loss: cross-entropy on S_i = ln Σ_k exp(v_k · e_i), its negatives weighted as REMI weights them."""
    losses = []
    for user, vectors in enumerate(example.interests.vectors.numpy().astype(np.float64)):
        positive = np.log(np.exp(vectors @ example.target_rows[user].numpy()).sum())
        negative = np.log(np.exp(vectors @ example.negative_rows.numpy().T).sum(axis=0))
        if corrected:
            positive, negative = positive - TARGET_LOG_Q[user], negative - LOG_Q
        negative = negative[TARGET[user] != NEGATIVES]
        weights = np.exp(beta * negative) / np.exp(beta * negative).mean()
        losses.append(-np.log(np.exp(positive) / (np.exp(positive) + (weights * np.exp(negative)).sum())))
    return np.mean(losses)


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_the_multi_interest_loss_is_the_softmax_on_the_log_sum_exp_over_interests(example, beta):
    plain = Settings().replace(beta=beta, sampler="uniform")
    both = LOSSES["softmax"](plain.replace(multi_interest_weight=0.5), 0)
    example = without_log_q(example)
    first, second = both(example)
    assert both.parts == ("softmax", "multi_interest")
    assert float(second) == pytest.approx(0.5 * in_numpy(example, beta, corrected=False), rel=1e-5)
    assert float(first) == float(LOSSES["softmax"](plain, 0)(example)[0])  # the first loss is as without it


def test_the_multi_interest_loss_corrects_for_the_sampler_too(example):
    loss = LOSSES["softmax"](Settings().replace(multi_interest_weight=1.0), 0)
    assert float(loss(example)[1]) == pytest.approx(in_numpy(example, 0.0, corrected=True), rel=1e-5)


def test_the_multi_interest_loss_teaches_every_interest(example):
    def taught(**settings):
        loss = LOSSES["softmax"](Settings().replace(**settings), 0)
        with tf.GradientTape() as tape:
            tape.watch(example.interests.vectors)
            total = tf.add_n(loss(example))
        return tape.gradient(total, example.interests.vectors).numpy().any(axis=2).sum(axis=1)

    np.testing.assert_array_equal(taught(), [1, 1])
    np.testing.assert_array_equal(taught(multi_interest_weight=1.0), [4, 4])


def test_negatives_are_chosen_once_by_the_readouts_scores_and_hits_among_them_do_not_count(example):
    """Positions 0 and 1 of the pool for both users; position 1 is the first user's own target."""
    asked = []

    def choose(positive, negative):
        asked.append(negative.numpy())
        return tf.constant([[0, 1], [0, 1]])

    settings = Settings().replace(multi_interest_weight=1.0)
    losses = LOSSES["softmax"](settings, 0)
    chosen = losses(example._replace(negatives=example.negatives._replace(choose=choose)))
    ids, log_q, target_log_q = example.negatives.ids[:2], example.negatives.log_q[:2], example.negatives.target_log_q
    two = example._replace(negatives=Negatives(ids, log_q, target_log_q), negative_rows=example.negative_rows[:2])
    np.testing.assert_allclose(chosen, losses(two), rtol=1e-6)
    (scores,) = asked
    assert scores.shape == (2, 3) and scores[0, 1] == np.finfo(np.float32).min and np.isfinite(scores).all()
