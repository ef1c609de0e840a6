"""The share of repeats, against counting user by user."""

import numpy as np
import pytest

from remi_tf.data.dataset import repeats
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.repeats import share_of_repeats


def log(*users):
    """Training users: everything is history."""
    lengths = np.array([len(items) for items in users], np.int64)
    items = np.array([item for user in users for item in user], np.int32)
    return Interactions(items, np.arange(len(items)), np.concatenate([[0], np.cumsum(lengths)]), lengths)


def counted(*users):
    """The same, item by item."""
    cut = [int(len(items) * 0.8) for items in users]
    found = [item in items[:end] for items, end in zip(users, cut, strict=True) for item in items[end:]]
    return sum(found) / len(found)


@pytest.mark.parametrize("piece", [1, 30, 1 << 18])
def test_it_is_what_counting_user_by_user_gives_whatever_is_looked_at_together(piece, monkeypatch):
    monkeypatch.setattr(repeats, "PIECE", piece)
    generator = np.random.default_rng(0)
    users = [generator.integers(1, 30, generator.integers(1, 60)).tolist() for _ in range(50)]
    assert share_of_repeats(log(*users)) == pytest.approx(counted(*users))


def test_only_the_users_own_history_counts_and_a_target_as_often_as_it_occurs():
    assert share_of_repeats(log([1, 2, 3, 4, 5], [5, 6, 7, 8, 1])) == 0
    assert share_of_repeats(log([1, 2, 3, 4, 5, 6, 7, 8, 1, 1])) == 1
    assert share_of_repeats(log([1, 2, 3, 4, 5, 6, 7, 8, 9, 9])) == 0  # two targets that are alike, and new


def test_a_log_without_targets_has_none():
    assert share_of_repeats(log()) == 0
    assert share_of_repeats(log([], [1, 2, 3, 4, 2], [])) == 1
