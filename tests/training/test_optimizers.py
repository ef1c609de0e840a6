"""LazyAdam: Adam on the rows that were read, nothing on the others; weight decay as in PyTorch."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.settings.training import TrainingSettings
from remi_tf.training.optimizers import Adam, LazyAdam, make_optimizer

RATE, BETA_1, BETA_2, EPSILON = 0.1, 0.9, 0.999, 1e-8


def steps(optimizer, table, batches):
    for ids, weights in batches:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(table, ids) ** 2 * weights)
        optimizer.apply_gradients([(tape.gradient(loss, table), table)])


def test_rows_that_were_read_move_as_in_adam_by_the_textbook_and_the_rest_stay_bit_equal():
    start = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    table = tf.Variable(start)
    batches = [([1, 3, 3], [[1.0], [2.0], [0.5]]), ([3, 4], [[1.0], [3.0]]), ([1], [[2.0]])]
    steps(LazyAdam(RATE), table, batches)

    expected, m, v = start.astype(np.float64), np.zeros((6, 2)), np.zeros((6, 2))
    for step, (ids, weights) in enumerate(batches, start=1):
        gradient = np.zeros((6, 2))
        np.add.at(gradient, ids, 2 * expected[ids] * np.array(weights))
        for row in set(ids):
            m[row] = BETA_1 * m[row] + (1 - BETA_1) * gradient[row]
            v[row] = BETA_2 * v[row] + (1 - BETA_2) * gradient[row] ** 2
            size = RATE * np.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
            expected[row] -= size * m[row] / (np.sqrt(v[row]) + EPSILON)
    np.testing.assert_allclose(table, expected, rtol=1e-5)
    np.testing.assert_array_equal(table.numpy()[[0, 2, 5]], start[[0, 2, 5]])


def test_with_every_row_read_in_every_step_it_is_adam():
    start = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    batches = [(list(range(4)), np.random.default_rng(step).random((4, 1)).astype(np.float32)) for step in range(10)]
    lazy, dense = tf.Variable(start), tf.Variable(start)
    steps(LazyAdam(RATE), lazy, batches)
    steps(tf.keras.optimizers.Adam(RATE, epsilon=EPSILON, jit_compile=False), dense, batches)
    np.testing.assert_allclose(lazy, dense, atol=5e-5)
    assert np.abs(lazy.numpy() - start).max() > 0.1


def test_dense_variables_are_updated_as_adam_does():
    start = np.random.default_rng(2).normal(size=(3,)).astype(np.float32)
    lazy, dense = tf.Variable(start), tf.Variable(start)
    for optimizer, variable in ((LazyAdam(RATE), lazy), (tf.keras.optimizers.Adam(RATE, epsilon=EPSILON), dense)):
        for _ in range(5):
            optimizer.apply_gradients([(tf.constant([1.0, -2.0, 0.5]), variable)])
    np.testing.assert_allclose(lazy, dense, rtol=1e-6)


def trained(optimizer, gradient_of, steps=3):
    """A table and a bias after some steps of `gradient_of(table, bias)`."""
    table = tf.Variable(np.random.default_rng(3).normal(size=(5, 2)).astype(np.float32))
    bias = tf.Variable([0.5, -2.0])
    for step in range(steps):
        optimizer.apply_gradients(zip(gradient_of(step, table, bias), (table, bias), strict=True))
    return table.numpy(), bias.numpy()


@pytest.mark.parametrize("name", ["adam", "lazy_adam"])
def test_weight_decay_is_that_much_of_the_weight_added_to_its_gradient(name):
    decay, rows = 0.3, np.array([[1, 3, 3], [3, 4, 1], [1, 1, 3]])

    def plain(step, table, bias):
        return tf.IndexedSlices(tf.ones([3, 2]), rows[step], [5, 2]), tf.constant([0.1, 0.2])

    def by_hand(step, table, bias):
        dense = np.zeros((5, 2), np.float32)
        np.add.at(dense, rows[step], 1)
        read = np.unique(rows[step])
        gradient = dense + decay * table.numpy()
        sparse = tf.IndexedSlices(gradient[read], read, [5, 2])
        return sparse if name == "lazy_adam" else gradient, tf.constant([0.1, 0.2]) + decay * bias

    with_setting, none = (TrainingSettings(optimizer=name, learning_rate=0.1, weight_decay=w) for w in (decay, 0.0))
    decayed, expected = trained(make_optimizer(with_setting), plain), trained(make_optimizer(none), by_hand)
    for ours, theirs in zip(decayed, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    untouched = trained(make_optimizer(none), plain, steps=0)[0]
    moved = np.any(decayed[0] != untouched, axis=1)
    assert moved.tolist() == ([False, True, False, True, True] if name == "lazy_adam" else [True] * 5)


@pytest.mark.parametrize("optimizer", [Adam, LazyAdam])
def test_rows_that_were_looked_up_once_each_move_as_those_that_were_looked_up_often(optimizer):
    def moved(lookup):
        table = tf.Variable(tf.reshape(tf.range(12.0), [6, 2]))
        chosen = optimizer(0.1)
        chosen.build([table])

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(lookup(table, tf.constant([4, 1, 4, 4])) ** 2)
            chosen.apply_gradients([(tape.gradient(loss, table), table)])

        step()
        step()
        return table.numpy()

    def once(table, ids):
        rows, index = tf.unique(ids)
        return tf.gather(tf.gather(table, rows), index)

    np.testing.assert_allclose(moved(once), moved(tf.gather), rtol=1e-6)
