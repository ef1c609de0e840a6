"""Readouts: which interest answers."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.objective.readout import READOUTS, Sampled
from remi_tf.retrieval.top_k import top_k
from remi_tf.settings.settings import Settings

SEED = tf.constant([1, 2])
USERS, INTERESTS, DIM = 5, 4, 3


def read(name, interests, target, negatives, active=None, seed=SEED, **settings):
    readout = READOUTS[name](Settings().replace(readout=name, embedding_dim=DIM, **settings), 0)
    interests = Interests(tf.cast(interests, tf.float32), active=active)
    return readout(interests, tf.cast(target, tf.float32), tf.cast(negatives, tf.float32), seed)


def assert_scored(result, positive, negative):
    np.testing.assert_allclose(result[0], positive, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(result[1], negative, rtol=1e-5, atol=1e-5)


def softmax(values):
    weights = np.exp(values - values.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.fixture
def example():
    """Interests, target, negatives; and the products of the interests with both: [B, K], [B, K, N]."""
    generator = np.random.default_rng(0)
    interests, target = generator.normal(size=(USERS, INTERESTS, DIM)), generator.normal(size=(USERS, DIM))
    negatives = generator.normal(size=(7, DIM))
    return (interests, target, negatives), np.einsum("bkd,bd->bk", interests, target), interests @ negatives.T


def test_hard_readout_scores_everything_with_the_interest_closest_to_the_target(example):
    given, by_target, by_negative = example
    chosen = by_target.argmax(axis=1)
    assert_scored(read("hard", *given), by_target.max(axis=1), by_negative[np.arange(USERS), chosen])


@pytest.mark.parametrize(("form", "power"), [("scale", 0.5), ("scale", 3.0), ("power", 1.0), ("power", 3.0)])
def test_label_aware_mixes_the_interests_by_their_closeness_to_the_target(example, form, power):
    given, by_target, by_negative = example
    weights = softmax(power * by_target if form == "scale" else by_target**power)
    expected = (weights * by_target).sum(axis=1), np.einsum("bk,bkn->bn", weights, by_negative)
    assert_scored(read("label_aware", *given, label_attention=form, label_power=power), *expected)


@pytest.mark.parametrize("form", ["scale", "power"])
def test_label_aware_with_a_large_power_is_hard(example, form):
    (interests, target, negatives), *_ = example
    for given in ((interests, 10 * target, negatives), (-np.abs(interests), np.abs(10 * target), negatives)):
        soft = read("label_aware", *given, label_attention=form, label_power=299.0)  # 10^299 is beyond 32 bits
        assert_scored(soft, *read("hard", *given))
        slope = gradient("label_aware", *given, label_attention=form, label_power=299.0)
        np.testing.assert_allclose(slope, gradient("hard", *given), rtol=1e-4, atol=1e-3)


def test_per_candidate_and_logsumexp_score_each_candidate_by_all_interests(example):
    given, by_target, by_negative = example
    assert_scored(read("per_candidate", *given), by_target.max(axis=1), by_negative.max(axis=1))
    assert_scored(
        read("logsumexp", *given), np.log(np.exp(by_target).sum(axis=1)), np.log(np.exp(by_negative).sum(axis=1))
    )
    far = np.multiply(given[0], 1e4), *given[1:]  # where exp overflows, it is the maximum
    assert_scored([x / 1e4 for x in read("logsumexp", *far)], by_target.max(axis=1), by_negative.max(axis=1))


def test_per_candidate_scores_as_serving_does(example):
    (interests, target, negatives), *_ = example
    table = np.vstack([np.zeros((1, DIM)), negatives])
    ids, scores = top_k(tf.cast(interests, tf.float32), tf.cast(table, tf.float32), len(negatives))
    _, negative = read("per_candidate", interests, target, negatives)
    np.testing.assert_allclose(scores, np.take_along_axis(negative.numpy(), ids.numpy() - 1, axis=1), rtol=1e-5)


@pytest.mark.parametrize("correlation", ["inner", "linear"])
def test_sampled_draws_interests_as_often_as_the_softmax_says(example, correlation):
    (interests, target, negatives), by_target, _ = example
    settings = {"correlation": correlation, "correlation_scale": 0.7}
    many = [np.repeat(x[:1], 20_000, axis=0) for x in (interests, target)]
    if correlation == "linear":
        projection = Sampled(Settings().replace(readout="sampled", embedding_dim=DIM, **settings), 0).projection.numpy()
        by_target = np.einsum("bkp,bp->bk", interests @ projection, target @ projection)
    positive, _ = read("sampled", *many, negatives, **settings)
    drawn = np.abs(positive.numpy()[:, np.newaxis] - interests[0] @ target[0]).argmin(axis=1)
    frequencies = np.bincount(drawn, minlength=INTERESTS) / len(drawn)
    np.testing.assert_allclose(frequencies, softmax(0.7 * by_target)[0], atol=0.015)


def test_a_draw_is_one_interest_for_all_candidates_and_depends_on_the_seed_alone(example):
    (interests, target, negatives), by_target, by_negative = example
    first, again, other = (read("sampled", interests, target, negatives, seed=[1, s]) for s in (2, 2, 4))
    assert_scored(first, *again)
    assert not np.allclose(first[0], other[0])
    drawn = np.abs(first[0].numpy()[:, np.newaxis] - by_target).argmin(axis=1)
    assert_scored(first, by_target[np.arange(USERS), drawn], by_negative[np.arange(USERS), drawn])


def test_linear_correlation_estimates_the_inner_product():
    settings = Settings().replace(readout="sampled", correlation="linear")
    left, right = np.random.default_rng(0).normal(size=(2, 64)).astype(np.float32)
    estimates = [Sampled(settings, s).correlation(left[np.newaxis, np.newaxis], right[np.newaxis]) for s in range(500)]
    error = np.linalg.norm(left) * np.linalg.norm(right) / 16**0.5 / 500**0.5
    assert np.mean(estimates) == pytest.approx(left @ right, abs=4 * float(error))


def gradient(name, interests, target, negatives, active=None, **settings):
    """Of the sum of all scores with respect to the interests [batch, num_interests, dim]."""
    interests = tf.constant(interests, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(interests)
        positive, negative = read(name, interests, target, negatives, active, **settings)
        loss = tf.reduce_sum(positive) + tf.reduce_sum(negative)
    return tape.gradient(loss, interests).numpy()


@pytest.mark.parametrize("name", ["hard", "sampled"])
def test_one_interest_gets_the_whole_gradient(example, name):
    (interests, target, negatives), *_ = example
    by_interest = gradient(name, interests, target, negatives)
    assert (by_interest.any(axis=2).sum(axis=1) == 1).all()  # none through the choice
    np.testing.assert_allclose(by_interest.sum(axis=1), target + negatives.sum(axis=0), rtol=1e-5)


def test_label_awares_gradient_flows_through_the_weights_too(example):
    (interests, target, _), by_target, _ = example
    no_negatives = np.zeros((1, DIM))
    weights = softmax(2 * by_target)
    mean = (weights * by_target).sum(axis=1, keepdims=True)
    expected = (weights * (1 + 2 * (by_target - mean)))[..., np.newaxis] * target[:, np.newaxis]
    ours = gradient("label_aware", interests, target, no_negatives, label_power=2.0)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


def test_each_candidates_gradient_goes_to_its_own_interest_and_with_equal_ones_to_the_first():
    interests = [[[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]]
    ours = gradient("per_candidate", interests, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0], [0.0, 3.0, 0.5]])
    np.testing.assert_array_equal(ours, [[[1.0, 0.0, 0.0], [0.0, 4.0, 0.5], [0.0, 0.0, 0.0]]])


@pytest.mark.parametrize("name", READOUTS)
def test_interests_that_a_user_does_not_have_never_answer(example, name):
    (interests, target, negatives), *_ = example
    interests[:, 2:] = interests[:, :1]  # as encoders give it
    active = tf.constant([[True, True, False, False]] * USERS)
    if name != "sampled":  # whose draw is another one with fewer interests
        without = read(name, interests[:, :2], target, negatives)
        assert_scored(read(name, interests, target, negatives, active), *without)
    for draw in range(10):
        assert not gradient(name, interests, target, negatives, active, seed=[0, draw])[:, 2:].any()


@pytest.mark.parametrize("name", READOUTS)
def test_with_one_interest_all_readouts_are_the_same(example, name):
    (interests, target, negatives), *_ = example
    single = interests[:, 0]
    expected = (single * target).sum(axis=1), single @ negatives.T
    assert_scored(read(name, interests[:, :1], target, negatives), *expected)
