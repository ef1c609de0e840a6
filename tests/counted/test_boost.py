"""The boost: its formula, taken word for word, and its bounds."""

import math

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.counted import boost as module
from remi_tf.counted import co_visits
from remi_tf.counted.boost import (
    CONTENT_TABLES,
    COSINE_SHRINK,
    RULE_SHRINK,
    SCALE,
    TABLES,
    WINDOW,
    CountedBoost,
    boost_bytes,
)
from remi_tf.retrieval.boosts import summed
from tests.counted_toys import NUM_ITEMS, keep_best, log, random_sequences
from tests.feature_toys import toy_features

SEQUENCES = random_sequences(30)


def counted(table, sequences=SEQUENCES, neighbours=NUM_ITEMS, max_history=5):
    boost = CountedBoost(neighbours, NUM_ITEMS, max_history)
    boost.take(boost.lists(log(*sequences), [table])[table])
    boost.weigh(1.0, 0.5)
    return boost


def rows_of(boost):
    """[I + 1, I + 1]: what a history of one item adds to each item."""
    history = np.zeros((NUM_ITEMS + 1, boost.age_weights.shape[0]), np.int32)
    history[:, 0] = range(NUM_ITEMS + 1)
    return as_table(boost.of(tf.constant(history)))


def as_table(boosts):
    ids, amounts = summed(boosts.ids.numpy(), boosts.amounts.numpy())
    table = np.zeros((len(ids), NUM_ITEMS + 1))
    np.put_along_axis(table, ids, amounts, axis=1)
    table[:, 0] = 0
    return table


def by_hand(table, sequences):
    """ln(1 + s(j, i) / SCALE), one pair of places and one pair of users at a time."""
    s = np.eye(NUM_ITEMS + 1)
    counts = np.bincount(np.concatenate(sequences), minlength=NUM_ITEMS + 1)
    for sequence in sequences:
        for place, first in enumerate(sequence):
            for distance, second in enumerate(sequence[place + 1 : place + 1 + WINDOW], start=1):
                s[first, second] += 1 / distance / (counts[first] + RULE_SHRINK)
    if table == "rules_and_cosine":
        of_user = np.array([[item in sequence for item in range(NUM_ITEMS + 1)] for sequence in sequences], float)
        common, users = of_user.T @ of_user, of_user.sum(axis=0)
        s += common / (np.sqrt(np.outer(users, users)) + COSINE_SHRINK)
    s[0] = s[:, 0] = 0
    return np.vectorize(math.log1p)(s / SCALE)


@pytest.mark.parametrize("table", TABLES)
def test_an_item_adds_the_logarithm_of_its_rules_and_cosines_and_most_to_itself(table):
    found = rows_of(counted(table))
    np.testing.assert_allclose(found, by_hand(table, SEQUENCES), rtol=1e-5, atol=1e-7)
    assert (found[1:, 1:].argmax(axis=1) == np.arange(NUM_ITEMS)).all()


@pytest.mark.parametrize("table", TABLES)
def test_a_list_keeps_the_best(table):
    np.testing.assert_allclose(
        rows_of(counted(table, neighbours=3)), keep_best(by_hand(table, SEQUENCES), 3), rtol=1e-5, atol=1e-7
    )


def test_the_items_of_a_history_add_up_each_newer_one_taking_its_share():
    boost = counted("rules")
    boost.weigh(3.0, 0.5)
    table = by_hand("rules", SEQUENCES)
    found = as_table(boost.of(tf.constant([[4, 1, 1, 2, 0], [0, 0, 0, 0, 0], [2, 0, 0, 0, 0]])))
    expected = 3 * (table[2] + table[1] / 2 + table[1] / 4 + table[4] / 8)
    np.testing.assert_allclose(found, [expected, np.zeros(NUM_ITEMS + 1), 3 * table[2]], rtol=1e-5, atol=1e-7)


def test_tables_that_are_counted_together_are_those_that_are_counted_one_by_one():
    boost, features, tables = CountedBoost(3, NUM_ITEMS, 5, num_new=2), toy_features(NUM_ITEMS), TABLES + CONTENT_TABLES
    together = boost.lists(log(*SEQUENCES), tables, features)
    assert list(together) == list(tables)
    for table in tables:
        for one, other in zip(together[table], boost.lists(log(*SEQUENCES), [table], features)[table], strict=True):
            np.testing.assert_array_equal(one, other)
    assert not np.array_equal(together["rules"][1], together["rules_and_content"][1])


@pytest.mark.parametrize("limit", [1, 60])
def test_it_counts_the_same_in_blocks_of_any_size(limit, monkeypatch):
    whole = rows_of(counted("rules_and_cosine"))
    monkeypatch.setattr(module, "blocks", lambda costs: co_visits.blocks(costs, limit))
    np.testing.assert_array_equal(rows_of(counted("rules_and_cosine")), whole)


def test_the_cosine_reads_the_newest_items_of_a_user_only(monkeypatch):
    monkeypatch.setattr(module, "MOST_ITEMS", 2)
    long, short = [[5, 1, 2], [1, 2], [4, 3, 1]], [[1, 2], [1, 2], [3, 1]]
    sums = {(table, len(log[0])): np.expm1(by_hand(table, log)) for table in TABLES for log in (long, short)}
    expected = np.log1p(sums["rules", 3] + sums["rules_and_cosine", 2] - sums["rules", 2])
    np.testing.assert_allclose(rows_of(counted("rules_and_cosine", long)), expected, rtol=1e-5, atol=1e-7)


def test_what_the_boost_needs_grows_with_the_catalogue_and_no_list_is_longer_than_it():
    lists, weights = boost_bytes(100, 900_000, 64)
    assert lists == (100 * 3 * 8 + 64 * 4) * 900_001 and weights == 64 * 4 * 900_001
    assert boost_bytes(100, 20, 1)[0] == (20 * 3 * 8 + 4) * 21
    assert boost_bytes(100, 300_000, 64, tables=4)[0] == (100 * (3 * 8 + 3 * 8) + 64 * 4) * 300_001
