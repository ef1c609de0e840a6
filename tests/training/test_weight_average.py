"""The moving average of weights: its values, that it forgets the start, and that it leaves training alone."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.training.weight_average import WeightAverage


def averaged(values, steps, every=10):
    """The average after a weight has taken `values`, one each `every` steps."""
    weight = tf.Variable(values[0])
    average = WeightAverage([weight], steps)
    for number, value in enumerate(values[1:], 1):
        weight.assign(value)
        average.update(tf.constant(number * every, tf.int64))
    return float(average.averages[0])


def test_a_constant_weight_is_its_own_average():
    assert averaged([3.0] * 20, 50) == pytest.approx(3.0)


def test_before_the_first_step_it_can_begin_at_weights_that_were_set_after_it_was_made():
    weight = tf.Variable(1.0)
    average = WeightAverage([weight], 10)
    weight.assign(5.0)
    average.begin()
    assert float(average.averages[0]) == 5


def test_late_in_training_a_weight_counts_by_its_age_over_the_window():
    """After a long time at 0 the weight is at 1 for 30 steps: 1 − e^(−30/50) of the average."""
    assert averaged([0.0] * 100 + [1.0] * 3, 50) == pytest.approx(-np.expm1(-30 / 50), rel=1e-5)


def test_early_in_training_the_first_weights_are_soon_forgotten():
    late_window = averaged([100.0] + [0.0] * 40, 10**6)
    assert abs(late_window) < 100 * (1 / 40) ** 3


def test_the_result_does_not_depend_on_how_often_a_steady_weight_is_taken_in():
    ends = [averaged([0.0] * (1000 // every) + [1.0] * (100 // every), 200, every) for every in (10, 50)]
    assert ends[0] == pytest.approx(ends[1], rel=1e-5)


def test_averages_are_in_place_inside_the_block_alone_also_after_an_error():
    weight = tf.Variable([1.0, 2.0])
    average = WeightAverage([weight], 10)
    weight.assign([5.0, 6.0])
    for error in (False, True):
        try:
            with average.in_place():
                assert weight.numpy().tolist() == [1, 2]
                if error:
                    raise RuntimeError
        except RuntimeError:
            pass
        assert weight.numpy().tolist() == [5, 6] and average.averages[0].numpy().tolist() == [1, 2]
