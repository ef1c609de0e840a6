"""Sampled softmax and IHN: exact values, limits and invariances."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from remi_tf.objective.remi_loss import sampled_softmax

POSITIVE = tf.constant([1.0])
NEGATIVE = tf.constant([[0.5, -1.0, 2.0, 0.0]])
scores = st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=8)
betas = st.sampled_from([0.0, 0.1, 1.0, 4.0, 10.0])


def loss_of(positive, negative, **options) -> float:
    return float(
        sampled_softmax(tf.constant([positive], tf.float64), tf.constant([negative], tf.float64), **options)[0]
    )


@pytest.mark.parametrize("beta", [0, 0.1, 1, 4, 10])
def test_values_of_the_published_formula(beta):
    """REMI eq. 7-9 computed term by term, in double precision."""
    negative = NEGATIVE.numpy()[0].astype(np.float64)
    weights = np.exp(beta * negative) / np.exp(beta * negative).mean()
    expected = -np.log(np.e / (np.e + (weights * np.exp(negative)).sum()))
    assert float(sampled_softmax(POSITIVE, NEGATIVE, beta=beta)[0]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("beta", "loss"), [(0, 1.574438), (0.1, 1.659955), (1, 2.226348), (4, 2.472247), (10, 2.474277)]
)
def test_reference_values(beta, loss):
    assert float(sampled_softmax(POSITIVE, NEGATIVE, beta=beta)[0]) == pytest.approx(loss, abs=2e-6)


def test_attached_weights_pull_easy_negatives_and_detached_ones_never_do():
    for stop, expected in (
        (False, [-0.058373, -0.027407, 1.033066, -0.055207]),
        (True, [0.041486, 0.002065, 0.833265, 0.015262]),
    ):
        with tf.GradientTape() as tape:
            tape.watch([POSITIVE, NEGATIVE])
            loss = sampled_softmax(POSITIVE, NEGATIVE, beta=1.0, stop_gradient_weights=stop)
        by_positive, by_negative = tape.gradient(loss, [POSITIVE, NEGATIVE])
        np.testing.assert_allclose(by_negative[0], expected, atol=2e-6)
        assert float(by_positive[0]) == pytest.approx(-0.892078, abs=2e-6)


@given(st.floats(-20, 20), scores, betas)
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_negatives_and_a_common_shift_change_nothing(positive, negative, beta):
    loss = loss_of(positive, negative, beta=beta)
    assert loss_of(positive, sorted(negative), beta=beta) == pytest.approx(loss, rel=1e-9, abs=1e-12)
    assert loss_of(positive + 7, [s + 7 for s in negative], beta=beta) == pytest.approx(loss, rel=1e-9, abs=1e-12)


@given(st.floats(-20, 20), scores)
@settings(max_examples=40, deadline=None)
def test_growing_beta_tends_to_the_hardest_negative_counted_n_times(positive, negative):
    hardest = np.logaddexp(0, np.log(len(negative)) + max(negative) - positive)
    assert loss_of(positive, negative, beta=1e6) == pytest.approx(hardest, rel=1e-4, abs=1e-4)
    assert loss_of(positive, negative, beta=4.0) <= hardest * (1 + 1e-9) + 1e-12


@given(st.floats(-20, 20), scores, betas, st.booleans())
@settings(max_examples=40, deadline=None)
def test_an_excluded_negative_is_as_if_it_were_not_there(positive, negative, beta, stop):
    options = {"beta": beta, "stop_gradient_weights": stop}
    excluded = tf.constant([[False] * len(negative) + [True]])
    with_hit = loss_of(positive, [*negative, 30.0], excluded=excluded, **options)
    assert with_hit == pytest.approx(loss_of(positive, negative, **options), rel=1e-9, abs=1e-12)


def test_an_accidental_hit_gets_no_gradient():
    negative = tf.constant([[3.0, 0.0, 1.0]])
    excluded = tf.constant([[True, False, False]])
    for beta in (0.0, 1.0):
        with tf.GradientTape() as tape:
            tape.watch(negative)
            loss = sampled_softmax(POSITIVE, negative, excluded, beta=beta, stop_gradient_weights=False)
        gradient = tape.gradient(loss, negative)[0].numpy()
        assert gradient[0] == 0 and np.abs(gradient[1:]).min() > 1e-3


@pytest.mark.parametrize("size", [200.0, 1e4])
@pytest.mark.parametrize("beta", [0.0, 1.0, 10.0])
def test_large_scores_do_not_overflow(size, beta):
    negative = tf.constant([[size, -size, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(negative)
        loss = sampled_softmax(tf.constant([-size]), negative, beta=beta, stop_gradient_weights=False)
    assert np.isfinite(loss.numpy()).all() and np.isfinite(tape.gradient(loss, negative).numpy()).all()


def test_plain_softmax_is_tensorflows_cross_entropy():
    generator = np.random.default_rng(0)
    positive, negative = generator.normal(size=6), generator.normal(size=(6, 9))
    logits = np.concatenate([positive[:, np.newaxis], negative], axis=1)
    expected = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.zeros([6], tf.int32), logits)
    np.testing.assert_allclose(sampled_softmax(tf.constant(positive), tf.constant(negative)), expected, rtol=1e-9)


def test_a_row_without_any_negative_has_no_loss():
    for beta in (0.0, 1.0):
        assert float(sampled_softmax(POSITIVE, NEGATIVE, tf.ones([1, 4], tf.bool), beta=beta)[0]) == 0.0


@given(st.floats(-20, 20), scores, betas, st.booleans())
@settings(max_examples=30, deadline=None)
def test_gradients_are_the_slopes_of_the_loss(positive, negative, beta, stop):
    """Central differences in double precision; with detached weights, of the loss whose weights stay as they are."""
    values = tf.constant([[positive, *negative]], tf.float64)
    weights = np.exp(beta * (np.array(negative) - max(negative)))
    weights /= weights.mean()

    def loss(row) -> float:
        if stop:
            return float(np.logaddexp(0, np.logaddexp.reduce(np.log(weights + 1e-300) + row[1:]) - row[0]))
        return loss_of(row[0], row[1:], beta=beta, stop_gradient_weights=False)

    with tf.GradientTape() as tape:
        tape.watch(values)
        result = sampled_softmax(values[:, 0], values[:, 1:], beta=beta, stop_gradient_weights=stop)
    gradient, step = tape.gradient(result, values).numpy()[0], 1e-5
    for position in range(len(gradient)):
        ends = []
        for sign in (1, -1):
            row = values.numpy()[0].copy()
            row[position] += sign * step
            ends.append(loss(row))
        assert gradient[position] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4, abs=1e-6)
