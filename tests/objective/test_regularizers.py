"""The regularisers: reference values and what they mean."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders.likeness import decorrelation, mean_cosine, mean_squared_cosine
from remi_tf.objective.regularizers import (
    RepresentationRegularizer,
    RoutingRegularizer,
    routing_variance,
    valid_variance,
)

FULL = tf.ones([2, 4], tf.bool)


ROUTING = tf.constant([[[1.0, 0, 0, 0], [0.25] * 4], [[0.5, 0.5, 0, 0], [0.7, 0.1, 0.1, 0.1]]])


def test_variance_is_zero_for_even_routing_and_largest_on_a_single_item():
    np.testing.assert_allclose(routing_variance(ROUTING), [[0.75, 0], [0.25, 0.27]], atol=1e-6)


def test_the_released_form_sums_over_the_batch_and_divides_by_the_dimension_inside_the_square():
    assert float(RoutingRegularizer(1.0, 64, "sum")(ROUTING, FULL)) == pytest.approx(1.703857e-4, rel=1e-5)


def test_the_mean_form_is_the_papers_per_user_sum_of_squares():
    scale = 100 * 128 / 64**2
    assert float(RoutingRegularizer(100.0, 64, "mean")(ROUTING, FULL)) == pytest.approx(
        scale * (0.5625 + 0.1354) / 2, rel=1e-5
    )


@pytest.mark.parametrize("reduction", ["sum", "mean", "valid"])
def test_interests_that_a_user_does_not_have_cost_nothing(reduction):
    regularizer = RoutingRegularizer(1.0, 64, reduction)
    active = tf.constant([[True, False], [True, True]])
    copies = tf.where(active[..., tf.newaxis], ROUTING, ROUTING[:, :1])  # they repeat the first one
    nothing = tf.where(active[..., tf.newaxis], ROUTING, 0.25)  # even routing, of no variance
    assert float(regularizer(copies, FULL, active)) == pytest.approx(float(regularizer(nothing, FULL)), rel=1e-6)
    assert float(regularizer(copies, FULL)) > 1.5 * float(regularizer(copies, FULL, active))


def test_both_forms_agree_at_batch_128_and_dimension_64_and_only_the_mean_ignores_the_batch_size():
    generator = np.random.default_rng(0)
    routing = tf.nn.softmax(tf.constant(generator.normal(size=(128, 4, 20)), tf.float32))
    mask, mask_twice = tf.ones([128, 20], tf.bool), tf.ones([256, 20], tf.bool)
    by_sum, by_mean = RoutingRegularizer(100.0, 64, "sum"), RoutingRegularizer(100.0, 64, "mean")
    assert float(by_sum(routing, mask)) == pytest.approx(float(by_mean(routing, mask)), rel=1e-5)
    twice = tf.concat([routing, routing], axis=0)
    assert float(by_mean(twice, mask_twice)) == pytest.approx(float(by_mean(routing, mask)), rel=1e-5)
    assert float(by_sum(twice, mask_twice)) == pytest.approx(2 * float(by_sum(routing, mask)), rel=1e-5)


def test_the_penalty_arrives_by_add_loss():
    regularizer = RoutingRegularizer(100.0, 64, "mean")
    value = regularizer(ROUTING, FULL)
    assert [float(loss) for loss in regularizer.losses] == [float(value)]


def test_the_valid_form_is_0_for_even_and_1_for_one_item_however_short_the_history():
    for length in (2, 3, 7):
        mask = tf.sequence_mask([length], 9)
        even = tf.where(mask, 1.0 / length, 0.0)
        one = tf.one_hot([1], 9)
        np.testing.assert_allclose(valid_variance(tf.stack([even, one], axis=1), mask), [[0, 1]], atol=1e-6)


def test_the_valid_form_ignores_padding_and_a_history_of_one_item():
    routing = tf.nn.softmax(tf.constant(np.random.default_rng(0).normal(size=(3, 2, 5)), tf.float32))
    padded = tf.pad(routing, [[0, 0], [0, 0], [0, 4]])
    short, long = (
        valid_variance(routing, tf.ones([3, 5], tf.bool)),
        valid_variance(padded, tf.sequence_mask([5] * 3, 9)),
    )
    np.testing.assert_allclose(short, long, rtol=1e-5)
    variance = routing_variance(routing).numpy() / (1 - 1 / 5)  # without padding both are about the same mean
    np.testing.assert_allclose(short, variance, rtol=1e-5)
    assert valid_variance(tf.one_hot([[0]], 4), tf.sequence_mask([1], 4)).numpy().tolist() == [[0]]
    assert valid_variance(tf.zeros([1, 2, 4]), tf.zeros([1, 4], tf.bool)).numpy().tolist() == [[0, 0]]


def test_the_valid_form_has_finite_gradients_for_every_length():
    routing, mask = tf.zeros([3, 2, 4]) + 0.25, tf.sequence_mask([0, 1, 4], 4)
    with tf.GradientTape() as tape:
        tape.watch(routing)
        penalty = RoutingRegularizer(100.0, 64, "valid")(routing, mask)
    assert np.isfinite(tape.gradient(penalty, routing)).all()


@pytest.mark.parametrize("form", sorted(RepresentationRegularizer.FORMS))
def test_the_representation_penalty_is_its_weight_times_the_mean_over_users(form):
    vectors = tf.constant(np.random.default_rng(0).normal(size=(3, 4, 6)), tf.float32)
    measures = {"covariance": decorrelation, "cosine": mean_cosine, "squared_cosine": mean_squared_cosine}
    measure = measures[form]
    by_user = [float(measure(vectors[user])) for user in range(3)]
    regularizer = RepresentationRegularizer(2.0, form)
    assert float(regularizer(vectors)) == pytest.approx(2 * np.mean(by_user), rel=1e-5)
    assert [float(loss) for loss in regularizer.losses] == [float(regularizer(vectors))]


@pytest.mark.parametrize("form", sorted(RepresentationRegularizer.FORMS))
def test_the_representation_penalty_sets_interests_apart_and_skips_those_a_user_does_not_have(form):
    regularizer = RepresentationRegularizer(1.0, form)
    alike = tf.constant([[[1.0, -1, 1, -1], [1, -1, 1, -0.5], [-1, 1, 1, -1]]])
    with tf.GradientTape() as tape:
        tape.watch(alike)
        penalty = regularizer(alike, tf.constant([[True, True, False]]))
    apart = alike - 0.1 * tape.gradient(penalty, alike)
    assert float(regularizer(apart[:, :2])) < float(regularizer(alike[:, :2])) == pytest.approx(float(penalty))
    np.testing.assert_array_equal(apart[:, 2], alike[:, 2])
