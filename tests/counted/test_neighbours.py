"""Bounded lists of items, looked up and added up."""

import numpy as np
import pytest

from remi_tf.counted import co_visits, neighbours
from tests.counted_toys import counted, log, random_sequences, table_of


def test_a_list_is_never_longer_than_the_catalogue():
    assert counted("ItemKNN", log([1, 2, 3]), num_items=4, neighbours=200).ids.shape == (5, 4)


def test_similar_items_are_those_of_the_items_own_list_without_itself():
    model = counted("SequentialRules", log(*random_sequences(30)), neighbours=4)
    expected = table_of(model)[2]
    expected[2] = 0
    np.testing.assert_allclose(model.similar(2), expected, rtol=1e-6)
    assert 0 < (model.similar(2) > 0).sum() <= 4
    assert not model.similar(12).any()  # nobody had it


def test_what_one_users_scores_take_grows_with_the_history_and_the_list():
    small, large = (counted("ItemKNN", log([1, 2]), max_history=length).user_bytes for length in (5, 50))
    assert large > 5 * small


@pytest.mark.parametrize("name", ["ItemKNN", "SequentialRules"])
@pytest.mark.parametrize("limit", [1, 60])
def test_it_counts_the_same_in_blocks_of_any_size(name, limit, monkeypatch):
    train = log(*random_sequences(30))
    whole = table_of(counted(name, train))
    monkeypatch.setattr(neighbours, "blocks", lambda costs: co_visits.blocks(costs, limit))
    np.testing.assert_array_equal(table_of(counted(name, train)), whole)


def test_items_that_nobody_has_do_not_all_come_into_one_block():
    model = counted("ItemKNN", log([1, 2]), num_items=5000, neighbours=2000)
    made = list(model.blocks_of(np.zeros(5001, np.int64)))
    assert made[-1][1] == 5001 and max(end - start for start, end in made) * 2000 <= co_visits.BLOCK
