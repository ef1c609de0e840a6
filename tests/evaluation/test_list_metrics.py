"""What lists hold: every metric by hand on small cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.evaluation.list_metrics import ItemFacts, ListReport, category_coverage, diversity, gini

# Items 1..6; the categories of 1..5 are known, that of 6 is not. 32 interactions: shares 1/2, 1/4, 1/8, 1/16, 1/16, 0.
COUNTS = np.array([0, 16, 8, 4, 2, 2, 0])
CATEGORIES = np.array([0, 1, 1, 2, 2, 3, 0])
ITEMS = ItemFacts(COUNTS, CATEGORIES)


def report(retrieved, targets, items=ITEMS, top_n=(2, 4)):
    """Per-user values and those of the whole split, of one batch. targets: one list for each user."""
    offsets = np.cumsum([0, *map(len, targets)])
    flat = np.array([item for after in targets for item in after], np.int32)
    found = ListReport(items, top_n)
    return found.add(np.array(retrieved, np.int32), flat, offsets), found.whole_split


def test_diversity_is_the_share_of_pairs_of_different_categories():
    """Categories 1 1 2 2: of six pairs the first two and the last two are alike. 1 2 3 and unknown: all differ."""
    values, _ = report([[1, 2, 3, 4], [1, 3, 5, 6]], [[1], [1]])
    assert values["diversity@4"].tolist() == [pytest.approx(4 / 6), 1]
    assert values["diversity@2"].tolist() == [0, 1]


def test_items_of_unknown_category_count_as_one_category():
    assert diversity(np.array([[0, 0, 1]]), np.ones((1, 3), bool)).tolist() == [pytest.approx(2 / 3)]


def test_a_short_list_is_measured_by_its_own_pairs_and_a_list_of_one_item_has_no_value():
    values, _ = report([[1, 2, 3, 0], [5, 0, 0, 0]], [[1], [1]])
    assert values["diversity@4"].tolist() == [pytest.approx(2 / 3), pytest.approx(np.nan, nan_ok=True)]
    values, _ = report([[1], [5]], [[1], [1]], top_n=(1,))
    assert np.isnan(values["diversity@1"]).all() and values["novelty@1"].tolist() == [1, 4]


def test_category_coverage_is_the_share_of_the_targets_known_categories_that_the_list_holds():
    """The first user's targets are of categories 1, 1, 2 and unknown: two categories, however often they occur."""
    values, _ = report([[1, 2, 3, 5], [5, 6, 1, 2]], [[2, 1, 4, 6], [3]])
    assert values["category_coverage@2"].tolist() == [1 / 2, 0]
    assert values["category_coverage@4"].tolist() == [1, 0]


def test_a_user_without_a_target_of_known_category_has_no_coverage():
    values, _ = report([[6, 1, 2, 3], [6, 1, 2, 3]], [[6, 6], [1]])
    assert np.isnan(values["category_coverage@4"][0]) and values["category_coverage@4"][1] == 1


def test_novelty_is_the_mean_surprise_of_the_listed_items():
    """1, 2, 3 and 4 bits. An item that nobody has counts as if one had it: 5 bits, 1 of 32."""
    values, _ = report([[1, 2, 3, 4], [6, 1, 0, 0]], [[1], [1]])
    assert values["novelty@2"].tolist() == [1.5, 3]
    assert values["novelty@4"].tolist() == [2.5, 3]


def test_catalogue_coverage_and_gini_are_of_all_batches_together():
    """Item 1 three times, item 2 once, of six: sorted 0 0 0 0 1 3, so (3 · 1 + 5 · 3) / (6 · 4)."""
    found = ListReport(ITEMS, (2,))
    for ids in ([[1, 2]], [[1, 0], [1, 0]]):
        found.add(np.array(ids), np.ones(len(ids), int), np.arange(len(ids) + 1))
    assert found.whole_split == {"catalogue_coverage@2": pytest.approx(2 / 6), "gini@2": pytest.approx(18 / 24)}


def test_how_often_items_are_listed_is_counted_over_all_batches_and_an_empty_place_is_no_item():
    found = ListReport(ITEMS, (1, 3))
    for lists in ([[1, 2, 3], [1, 5, 0]], [[2, 1, 0]]):
        found.add(np.array(lists, np.int32), np.ones(len(lists), np.int32), np.arange(len(lists) + 1))
    assert found.listed[1].tolist() == [0, 2, 1, 0, 0, 0, 0]
    assert found.listed[3].tolist() == [0, 3, 2, 1, 0, 1, 0]


def test_gini_is_0_if_all_items_are_listed_equally_often_and_almost_1_if_one_is_listed_always():
    assert gini(np.full(10, 7)) == 0 == gini(np.zeros(4))
    assert gini(np.array([0] * 99 + [50])) == pytest.approx(0.99)


def test_without_categories_only_what_needs_none_is_there():
    values, whole = report([[1, 2, 3, 4]], [[1]], ItemFacts(COUNTS))
    assert list(values) == ["novelty@2", "novelty@4"]
    assert list(whole) == ["catalogue_coverage@2", "gini@2", "catalogue_coverage@4", "gini@4"]


def one_by_one(row, categories, after):
    """Diversity and coverage of one user, pair by pair and category by category."""
    listed = [categories[item] for item in row if item]
    pairs = [listed[i] != listed[j] for i in range(len(listed)) for j in range(i)]
    wanted = {categories[item] for item in after} - {0}
    return (
        np.mean(pairs) if pairs else np.nan,
        np.mean([category in listed for category in wanted]) if wanted else np.nan,
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), users=st.integers(1, 6), n=st.integers(1, 9))
def test_a_batch_equals_the_users_one_by_one(seed, users, n):
    draw = np.random.default_rng(seed)
    categories = np.concatenate([[0], draw.integers(0, 4, 12)])
    rows = [draw.permutation(12)[:n] + 1 for _ in range(users)]
    retrieved = np.where(np.arange(n) < draw.integers(0, n + 1, (users, 1)), rows, 0)
    targets = [draw.integers(1, 13, draw.integers(1, 6)).tolist() for _ in range(users)]
    values, _ = report(retrieved, targets, ItemFacts(np.arange(13), categories), (n,))
    expected = [one_by_one(row, categories, after) for row, after in zip(retrieved, targets, strict=True)]
    np.testing.assert_allclose(values[f"diversity@{n}"], [pair for pair, _ in expected])
    np.testing.assert_allclose(values[f"category_coverage@{n}"], [share for _, share in expected])


def test_coverage_tells_users_apart():
    """A category that only another user's list holds does not count."""
    found = category_coverage(np.array([[1, 1], [2, 2]]), np.array([2, 1]), np.array([0, 1, 2]))
    assert found.tolist() == [0, 0]


def test_facts_of_a_dataset_are_counted_over_its_training_users(toy_dataset):
    dataset = load_dataset(toy_dataset)
    facts = ItemFacts.of(dataset)
    assert facts.categories is None and facts.counts.shape == (61,)
    assert facts.counts[9] == (dataset.train.items == 9).sum() and facts.counts.sum() == len(dataset.train.items)
