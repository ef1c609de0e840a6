"""Losses: an example in, weighted parts out."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.objective.example import Example
from remi_tf.objective.losses import LOSSES
from remi_tf.objective.negatives import Negatives, TargetShares
from remi_tf.objective.samplers import SAMPLERS
from remi_tf.settings.settings import Settings

HISTORY = tf.constant([[1, 2], [3, 0]])
TARGET, NEGATIVES = np.array([4, 5]), np.array([6, 4, 7])  # the second negative is row 0's target
LOG_Q_OF = np.array([0, 0, 0, 0, -0.5, -3.0, -1.0, -2.0])  # by item id
LOG_Q, TARGET_LOG_Q = LOG_Q_OF[NEGATIVES], LOG_Q_OF[TARGET]


@pytest.fixture
def example():
    generator = np.random.default_rng(4)
    table = tf.constant(generator.normal(size=(8, 3)), tf.float32)
    interests = Interests(tf.constant(generator.normal(size=(2, 4, 3)), tf.float32))
    log_q_of = tf.constant(LOG_Q_OF, tf.float32)
    negatives = Negatives(tf.constant(NEGATIVES, tf.int32), lambda ids: tf.gather(log_q_of, ids))
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


@pytest.mark.parametrize("sampler", ["uniform", "log_uniform"])
def test_the_corrected_gradient_is_nearer_to_the_full_softmaxs_than_comirecs(sampler):
    """On average over 1,000 draws of 6 of 12 items: the vectors of twelve users, each with another target.

    Scores have a standard deviation of about 0.5. With a much larger one both are dominated by the few best items.
    """
    generator = np.random.default_rng(3)
    table = tf.constant(0.5 * generator.normal(size=(13, 4)), tf.float32)
    vectors, target = tf.constant(0.5 * generator.normal(size=(12, 1, 4)), tf.float32), tf.range(1, 13)
    nothing = tf.zeros([12, 0], tf.int32)

    def mean_gradient(draws: int, **settings) -> np.ndarray:
        settings = Settings().replace(num_negatives=6, **settings)
        draw = SAMPLERS[settings.objective.sampler](settings.objective, TargetShares(12), 1)
        loss = LOSSES["softmax"](settings, 0)

        @tf.function
        def gradient(step):
            negatives = draw(target, step)
            rows = table if negatives.ids is None else tf.gather(table, negatives.ids)
            with tf.GradientTape() as tape:
                tape.watch(vectors)
                found, seed = Interests(vectors), tf.constant([1, 2])
                (value,) = loss(
                    Example(nothing, nothing, target, tf.gather(table, target), negatives, rows, found, seed)
                )
            return tape.gradient(value, vectors)

        return np.mean([gradient(tf.constant(step)) for step in range(draws)], axis=0)

    full = mean_gradient(1, sampler="full")
    corrected, subtracted = (
        np.linalg.norm(mean_gradient(1000, sampler=sampler, log_q=log_q) - full) / np.linalg.norm(full)
        for log_q in ("corrected", "subtract")
    )
    assert corrected < subtracted


def test_negatives_are_chosen_once_by_the_readouts_scores_and_hits_among_them_do_not_count(example):
    """Positions 0 and 1 of the pool for both users; position 1 is the first user's own target."""
    asked = []

    def choose(positive, negative):
        asked.append(negative.numpy())
        return tf.constant([[0, 1], [0, 1]])

    settings = Settings().replace(multi_interest_weight=1.0)
    losses = LOSSES["softmax"](settings, 0)
    chosen = losses(example._replace(negatives=example.negatives._replace(choose=choose)))
    negatives = example.negatives._replace(ids=example.negatives.ids[:2])
    two = example._replace(negatives=negatives, negative_rows=example.negative_rows[:2])
    np.testing.assert_allclose(chosen, losses(two), rtol=1e-6)
    (scores,) = asked
    assert scores.shape == (2, 3) and scores[0, 1] == np.finfo(np.float32).min and np.isfinite(scores).all()
