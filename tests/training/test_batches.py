"""Training windows: what a window is, and that a batch is a function of (seed, step)."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import day_numbers
from remi_tf.errors import InputError
from remi_tf.training import batches as batches_module
from remi_tf.training.batches import TrainingBatches, targets_ahead

LENGTHS = [5, 3, 9, 30, 6, 12]


OPTIONS = {"batch_size": 4, "max_history": 7, "first_target": 4, "seed": 5}


@pytest.fixture
def log():
    """User u's items are 100 u + position, so that a window tells where it was cut; one item a day."""
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    items = np.concatenate([100 * user + np.arange(n) for user, n in enumerate(LENGTHS)]).astype(np.int32)
    days = np.concatenate([np.arange(n) for n in LENGTHS])
    return Interactions(items, 1_000_000 + 86_400 * days, offsets, np.array(LENGTHS))


def batches(log, number, start_step=0, **options):
    dataset = TrainingBatches(log, **{**OPTIONS, **options}).from_step(start_step)
    return [{key: value.numpy() for key, value in batch.items()} for batch in itertools.islice(dataset, number)]


def test_the_history_is_what_precedes_the_target_oldest_first_right_padded(log):
    for batch in batches(log, 50):
        for history, target in zip(batch["history"], batch["target"], strict=True):
            user, position = divmod(int(target), 100)
            first = max(0, position - 7)
            expected = [100 * user + p for p in range(first, position)]
            assert history.tolist() == expected + [0] * (7 - len(expected))


def test_targets_are_uniform_from_the_first_that_is_allowed(log):
    targets = np.concatenate([batch["target"] for batch in batches(log, 100, batch_size=40)])
    counts = np.bincount(targets[targets // 100 == 3] % 100, minlength=30)
    assert not counts[:4].any()
    expected = counts.sum() / 26
    assert ((counts[4:] - expected) ** 2 / expected).sum() < 25 + 5 * np.sqrt(50)


def test_users_are_distinct_in_a_batch_and_equally_likely_and_short_ones_left_out(log):
    users = np.stack([batch["target"] // 100 for batch in batches(log, 1000)])
    assert all(len(set(row)) == 4 for row in users.tolist())
    counts = np.bincount(users.ravel(), minlength=6)
    assert counts[1] == 0  # three items: none may be a target
    np.testing.assert_allclose(counts[[0, 2, 3, 4, 5]], 1000 * 4 / 5, rtol=0.05)


def test_a_batch_larger_than_the_users_takes_each_as_often_as_it_fits(log):
    (batch,) = batches(log, 1, batch_size=10)
    assert np.bincount(batch["target"] // 100).tolist() == [2, 0, 2, 2, 2, 2]


@pytest.mark.parametrize("ahead", [None, np.array([2, 1, 3, 6, 1, 2])])
def test_a_batch_is_a_function_of_seed_and_step(log, ahead):
    stream, late = batches(log, 6, ahead=ahead), batches(log, 2, start_step=4, ahead=ahead)
    other = batches(log, 1, seed=6, ahead=ahead)
    for ours, theirs in zip(stream[4:], late, strict=True):
        np.testing.assert_array_equal(ours["history"], theirs["history"])
        np.testing.assert_array_equal(ours["target"], theirs["target"])
    assert stream[0]["target"].tolist() != stream[1]["target"].tolist() != other[0]["target"].tolist()


def test_days_are_those_of_the_items_and_zero_on_padding(log):
    for batch in batches(log, 20, needs=("days",)):
        padding = batch["history"] == 0
        padding[:, 0] = False  # the first slot is never padding; user 0's first item has the number 0
        first = day_numbers(np.array([1_000_000]))[0]
        np.testing.assert_array_equal(batch["days"], np.where(padding, 0, batch["history"] % 100 + first))


def test_the_profile_is_that_of_the_windows_user(log):
    known = replace(log, profiles=np.stack([np.arange(6), 10 - np.arange(6)], axis=1).astype(np.int32))
    for batch in batches(known, 20, needs=("profile",)):
        user = batch["target"] // 100
        np.testing.assert_array_equal(batch["profile"], np.stack([user, 10 - user], axis=1))
        assert set(batch) == {"history", "target", "profile"}


def test_a_log_without_any_target_is_refused_with_the_remedy(log):
    with pytest.raises(InputError, match=r"more than 40 items.*--first_target"):
        TrainingBatches(log, **{**OPTIONS, "first_target": 40})
    of_one = Interactions(np.array([3, 1], np.int32), np.array([5, 6]), np.array([0, 1, 2]), np.array([1, 1]))
    with pytest.raises(InputError, match=r"more than 1 item, .*prepare a log with longer sequences$"):
        TrainingBatches(of_one, **{**OPTIONS, "first_target": 1})  # there is nothing to lower


AHEAD = np.array([2, 1, 3, 6, 1, 2])


def test_targets_ahead_are_any_of_the_users_next_items_as_far_as_its_sequence_goes(log):
    seen = {user: set() for user in (0, 2, 3, 4, 5)}
    for batch in batches(log, 2000, ahead=AHEAD):
        for history, target in zip(batch["history"], batch["target"], strict=True):
            user, position = divmod(int(target), 100)
            newest = int(history.max()) % 100
            seen[user].add((newest, position - newest))
    for user, pairs in seen.items():
        ends = range(3, LENGTHS[user] - 1)
        assert pairs == {(end, d) for end in ends for d in range(1, min(AHEAD[user], LENGTHS[user] - 1 - end) + 1)}


def test_one_target_ahead_is_the_next_item(log):
    plain, ahead = batches(log, 5), batches(log, 5, ahead=np.ones(6, np.int64))
    for ours, theirs in zip(plain, ahead, strict=True):
        np.testing.assert_array_equal(ours["target"], theirs["target"])
        np.testing.assert_array_equal(ours["history"], theirs["history"])


@pytest.mark.parametrize("ahead", [None, AHEAD])
def test_target_shares_are_how_often_an_item_is_a_target(log, ahead):
    drawn = np.concatenate([batch["target"] for batch in batches(log, 300, batch_size=40, ahead=ahead)])
    measured = np.bincount(drawn, minlength=600) / len(drawn)
    shares = TrainingBatches(log, **OPTIONS, ahead=ahead).target_shares(599)
    assert shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(measured, shares, atol=0.006)
    assert not measured[shares == 0].any()


@pytest.mark.parametrize("ahead", [None, AHEAD])
def test_target_shares_do_not_depend_on_how_many_interactions_are_looked_at_together(log, ahead, monkeypatch):
    whole = TrainingBatches(log, **OPTIONS, ahead=ahead).target_shares(599)
    monkeypatch.setattr(batches_module, "PIECE", 10)
    np.testing.assert_allclose(TrainingBatches(log, **OPTIONS, ahead=ahead).target_shares(599), whole, rtol=1e-12)


def test_as_many_targets_ahead_as_a_user_would_be_asked_for_in_validation():
    def validation(lengths, cuts):
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return Interactions(np.ones(offsets[-1], np.int32), np.arange(offsets[-1]), offsets, np.array(cuts))

    fifth = validation([10, 20, 10], [8, 16, 8])
    assert targets_ahead(np.array([1, 5, 6, 10, 50]), fifth).tolist() == [1, 1, 2, 2, 4]  # never more than anyone has
    assert targets_ahead(np.array([1, 5, 60]), validation([5, 9], [4, 8])).tolist() == [1, 1, 1]
    assert targets_ahead(np.array([25]), validation([45, 5], [31, 5])).tolist() == [7]  # 14 / 50 · 25, exactly
