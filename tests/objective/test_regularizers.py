"""RR and decorrelation: reference values and what they mean."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.objective.regularizers import RoutingRegularizer, decorrelation, routing_variance

ROUTING = tf.constant([[[1.0, 0, 0, 0], [0.25] * 4], [[0.5, 0.5, 0, 0], [0.7, 0.1, 0.1, 0.1]]])


def test_variance_is_zero_for_even_routing_and_largest_on_a_single_item():
    np.testing.assert_allclose(routing_variance(ROUTING), [[0.75, 0], [0.25, 0.27]], atol=1e-6)


def test_the_released_form_sums_over_the_batch_and_divides_by_the_dimension_inside_the_square():
    assert float(RoutingRegularizer(1.0, 64, "sum")(ROUTING)) == pytest.approx(1.703857e-4, rel=1e-5)


def test_the_mean_form_is_the_papers_per_user_sum_of_squares():
    scale = 100 * 128 / 64**2
    assert float(RoutingRegularizer(100.0, 64, "mean")(ROUTING)) == pytest.approx(
        scale * (0.5625 + 0.1354) / 2, rel=1e-5
    )


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_interests_that_a_user_does_not_have_cost_nothing(reduction):
    regularizer = RoutingRegularizer(1.0, 64, reduction)
    active = tf.constant([[True, False], [True, True]])
    copies = tf.where(active[..., tf.newaxis], ROUTING, ROUTING[:, :1])  # they repeat the first one
    nothing = tf.where(active[..., tf.newaxis], ROUTING, 0.25)  # even routing, of no variance
    assert float(regularizer(copies, active)) == pytest.approx(float(regularizer(nothing)), rel=1e-6)
    assert float(regularizer(copies)) > 1.5 * float(regularizer(copies, active))


def test_both_forms_agree_at_batch_128_and_dimension_64_and_only_the_mean_ignores_the_batch_size():
    generator = np.random.default_rng(0)
    routing = tf.nn.softmax(tf.constant(generator.normal(size=(128, 4, 20)), tf.float32))
    by_sum, by_mean = RoutingRegularizer(100.0, 64, "sum"), RoutingRegularizer(100.0, 64, "mean")
    assert float(by_sum(routing)) == pytest.approx(float(by_mean(routing)), rel=1e-5)
    twice = tf.concat([routing, routing], axis=0)
    assert float(by_mean(twice)) == pytest.approx(float(by_mean(routing)), rel=1e-5)
    assert float(by_sum(twice)) == pytest.approx(2 * float(by_sum(routing)), rel=1e-5)


def test_the_penalty_arrives_by_add_loss():
    regularizer = RoutingRegularizer(100.0, 64, "mean")
    value = regularizer(ROUTING)
    assert [float(loss) for loss in regularizer.losses] == [float(value)]


def test_decorrelation_is_zero_for_orthogonal_rows_and_the_square_of_their_variance_for_equal_ones():
    first, second = np.array([1.0, 1, -1, -1]), np.array([1.0, -1, 1, -1])  # orthogonal, mean 0, variance 1
    for rows, expected in (([first, second], 0), ([first, first], 1), ([first, -3 * first], 9), ([first] * 3, 3)):
        assert float(decorrelation(tf.constant(rows, tf.float32))) == pytest.approx(expected, abs=1e-6)


def test_decorrelation_sees_neither_a_rows_mean_nor_a_single_rows_length():
    table = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    shifted = table + np.array([[1.0], [-2], [3], [0]], np.float32)
    assert float(decorrelation(tf.constant(shifted))) == pytest.approx(
        float(decorrelation(tf.constant(table))), rel=1e-4
    )
    assert float(decorrelation(tf.constant(table[:1]))) == pytest.approx(0, abs=1e-6)
