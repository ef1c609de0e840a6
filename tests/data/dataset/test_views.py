"""What a model reads of users, and what follows."""

import numpy as np
import pytest

from remi_tf.data.dataset.views import day_numbers, features, histories, targets, whole_histories
from remi_tf.errors import InputError
from tests.evaluation_toys import interactions


def test_history_is_the_end_of_the_first_part_and_targets_are_all_the_rest():
    data = interactions(([1, 2, 3, 4], [5, 5]), ([7], [8, 9, 10]), ([], [3]))
    assert histories(data, np.arange(3), 3).tolist() == [[2, 3, 4], [7, 0, 0], [0, 0, 0]]
    flat, offsets = targets(data, np.array([0, 1, 2]))
    assert (flat.tolist(), offsets.tolist()) == ([5, 5, 8, 9, 10, 3], [0, 2, 5, 6])
    flat, offsets = targets(data, np.array([2, 0]))
    assert (flat.tolist(), offsets.tolist()) == ([3, 5, 5], [0, 1, 3])
    flat, offsets = whole_histories(data, np.array([1, 2, 0]))
    assert (flat.tolist(), offsets.tolist()) == ([7, 1, 2, 3, 4], [0, 1, 1, 5])


def test_a_days_number_is_that_of_the_nearest_midnight_since_1970():
    days = day_numbers(np.array([[0, 43_199], [43_201, 20_000 * 86_400 - 1]]))
    assert days.tolist() == [[0, 0], [1, 20_000]] and days.dtype == np.int32


def test_a_history_of_any_length_is_its_end_and_says_nothing_of_other_users():
    data = interactions(([], [5]), ([1, 2, 3], [6]), ([4], []))
    assert histories(data, np.arange(3), 2).tolist() == [[0, 0], [2, 3], [4, 0]]
    assert histories(data, np.array([1]), 5).tolist() == [[1, 2, 3, 0, 0]]
    assert histories(data, np.array([], np.int64), 2).shape == (0, 2)


def test_features_are_only_those_that_are_needed():
    data = interactions(([1], [2]))
    assert features(data, np.array([0]), 3, ()) == {}
    assert set(features(data, np.array([0]), 3, ("days",))) == {"days"}
    with pytest.raises(InputError, match="prepare them with --users"):
        features(data, np.array([0]), 3, ("profile",))
