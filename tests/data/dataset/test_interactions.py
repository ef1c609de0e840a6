"""Sequences of users as flat arrays."""

import numpy as np
import pytest

from remi_tf.data.dataset.interactions import Interactions


@pytest.fixture
def three():
    """Users with 2, 3 and 1 items, of which 1, 2 and 1 are history."""
    profiles = np.array([[1], [2], [3]], np.int32)
    items = np.array([1, 2, 3, 4, 5, 6], np.int32)
    return Interactions(items, 10 * np.arange(6), np.array([0, 2, 5, 6]), np.array([1, 2, 1]), profiles)


def test_users_and_lengths_follow_from_the_offsets(three):
    assert three.num_users == 3 and three.lengths.tolist() == [2, 3, 1]
    nobody = Interactions(three.items[:0], three.timestamps[:0], np.array([0]), three.cuts[:0])
    assert nobody.num_users == 0 and nobody.lengths.tolist() == []


def test_the_first_users_keep_all_that_is_theirs(three):
    two = three.first(2)
    assert two.num_users == 2 and two.items.tolist() == [1, 2, 3, 4, 5]
    assert two.timestamps.tolist() == [0, 10, 20, 30, 40] and two.cuts.tolist() == [1, 2]
    assert two.profiles.tolist() == [[1], [2]]


@pytest.mark.parametrize("users", [0, 3, 99])
def test_0_and_more_than_there_are_keep_all(three, users):
    assert three.first(users) is three


def test_no_profiles_stay_none(three):
    plain = Interactions(three.items, three.timestamps, three.offsets, three.cuts)
    assert plain.first(1).profiles is None


def test_the_newest_items_keep_the_cut_between_history_and_targets(three):
    two = three.newest(2)
    assert two.items.tolist() == [1, 2, 4, 5, 6] and two.timestamps.tolist() == [0, 10, 30, 40, 50]
    assert two.offsets.tolist() == [0, 2, 4, 5] and two.cuts.tolist() == [1, 1, 1]
    assert two.profiles is three.profiles
    assert three.newest(1).cuts.tolist() == [0, 0, 1] and three.newest(3) is three
