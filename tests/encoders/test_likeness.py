"""How alike the rows of a matrix are: reference values and what they mean."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders.likeness import decorrelation, mean_cosine, mean_squared_cosine


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


def test_mean_cosine_is_1_for_one_direction_and_one_half_for_orthogonal_rows():
    east, north, west = [2.0, 0], [0.0, 3], [-1.0, 0]
    for rows, expected in (
        ([east, east], 1),
        ([east, north], 0.5),
        ([east, west], 0),
        ([east, north, west], 0.5 - 1 / 6),
        ([east, [0.0, 0.0], north], 0.5),
        ([east], 0.5),
        ([east, [1e-7, 0.0], north], 0.5),
        ([[1e-5, 0.0], [1e-5, 0.0]], 1),
    ):
        assert float(mean_cosine(tf.constant(rows))) == pytest.approx(expected, abs=1e-6)


def test_mean_cosine_has_finite_gradients_beside_empty_rows():
    rows = tf.constant([[[1.0, 0], [0, 0], [1, 1]], [[0.0, 0]] * 3])
    with tf.GradientTape() as tape:
        tape.watch(rows)
        value = tf.reduce_sum(mean_cosine(rows))
    assert np.abs(tape.gradient(value, rows)).max() < 10


def test_mean_squared_cosine_is_0_for_orthogonal_rows_and_1_for_one_line():
    east, north, west, between = [2.0, 0], [0.0, 3], [-1.0, 0], [1.0, 1.0]
    for rows, expected in (
        ([east, north], 0),
        ([east, west], 1),
        ([east, between], 0.5),
        ([east, north, west], 1 / 3),
        ([east, [0.0, 0.0], north], 0),
        ([east], 0),
    ):
        assert float(mean_squared_cosine(tf.constant(rows))) == pytest.approx(expected, abs=1e-6)


def test_mean_squared_cosine_has_finite_gradients_next_to_empty_rows():
    rows = tf.constant([[[1.0, 0], [0, 0], [1, 1]], [[0.0, 0]] * 3])
    with tf.GradientTape() as tape:
        tape.watch(rows)
        value = tf.reduce_sum(mean_squared_cosine(rows))
    assert 0 < np.abs(tape.gradient(value, rows)).max() < 10
