"""The example of a Keras model with REMI's two ideas: it learns, and the penalty does what it is for."""

import pytest

from examples import keras_model


@pytest.fixture(scope="module")
def free_and_regularized():
    return keras_model.train(rr_lambda=0.0), keras_model.train(rr_lambda=100.0)


def test_the_loss_falls_with_and_without_the_penalty(free_and_regularized):
    for losses, _ in free_and_regularized:
        assert losses[-1] < 0.9 * losses[0]


def test_the_penalty_spreads_attention_over_more_items(free_and_regularized):
    (_, free), (_, regularized) = free_and_regularized
    for routing in (free, regularized):
        assert routing.sum(axis=2) == pytest.approx(1, abs=1e-5)
    assert regularized.max(axis=2).mean() < free.max(axis=2).mean() / 1.5
