"""The metrics of one system, batch by batch."""

import numpy as np
import pytest

from remi_tf.errors import InputError
from remi_tf.evaluation.list_metrics import ItemFacts
from remi_tf.evaluation.tally import Evaluation, Tally, batches, checked_cut_offs, means, users_with_targets
from tests.evaluation_toys import interactions

ITEMS = ItemFacts(np.array([0, 4, 2, 1, 1]), np.array([0, 1, 1, 2, 0]))


def test_batches_together_are_the_evaluation_of_all_users():
    data = interactions(([1], [2]), ([1], []), ([1], [3, 4]))
    tally = Tally((1, 2), ITEMS)
    tally.add(np.array([[2, 3]]), np.array([2]), np.array([0, 1]))
    tally.add(np.array([[1, 3]]), np.array([3, 4]), np.array([0, 2]))
    result = tally.result(data, users_with_targets(data), 1.5)
    assert result.users.tolist() == [0, 2] and result.without_targets == 1 and result.seconds == 1.5
    assert result.per_user["recall@2"].tolist() == [1, 0.5]
    assert result.per_user["diversity@2"].tolist() == [1, 1]
    assert result.whole_split["catalogue_coverage@1"] == 0.5
    assert result.figures == {**result.means, **result.whole_split}


def test_without_facts_of_the_items_there_is_accuracy_only():
    tally = Tally((1,))
    tally.add(np.array([[2]]), np.array([2]), np.array([0, 1]))
    result = tally.result(interactions(([1], [2])), np.array([0]), 0.0)
    assert list(result.per_user) == ["recall@1", "hit_rate@1", "ndcg@1", "ndcg_hits@1"] and not result.whole_split


def test_means_leave_out_users_without_a_value_and_metrics_without_a_user():
    nobody = np.full(3, np.nan)
    per_user = {"novelty@2": np.array([1.0, 2.0, 6.0]), "diversity@2": np.array([1.0, np.nan, 0.0]), "x@1": nobody}
    assert means(per_user) == {"novelty@2": 3.0, "diversity@2": 0.5}
    assert repr(Evaluation(per_user, np.arange(3), 0, 0.0)).startswith("<Evaluation of 3 users: novelty@2 3.0000")


def test_batches_keep_the_order_and_lose_nobody():
    data, users = interactions(*[([1], [2])] * 10), np.array([4, 7, 9])
    assert [batch.tolist() for batch in batches(data, users, 2, exclude_history=False)] == [[4, 7], [9]]


def test_a_split_without_targets_and_cut_offs_that_cut_nothing_are_refused():
    with pytest.raises(InputError, match="none of the 1 users of the split has targets"):
        users_with_targets(interactions(([1, 2], [])))
    for top_n in ((), (0,)):
        with pytest.raises(InputError, match="give positive whole numbers"):
            checked_cut_offs(top_n)
