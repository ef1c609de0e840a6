"""Counted models next to which an evaluation is printed."""

import pytest

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.evaluation import yardsticks
from remi_tf.evaluation.evaluate import evaluate
from tests.counted_toys import counted


@pytest.fixture(scope="module")
def dataset(toy_dataset):
    return load_dataset(toy_dataset)


def test_most_popular_is_pop(dataset):
    twin, ours = counted("Pop", dataset.train, dataset.num_items), yardsticks.most_popular(dataset)
    assert evaluate(ours, dataset.test, (10,)).means == evaluate(twin, dataset.test, (10,)).means


def test_item_knn_has_the_settings_that_validation_users_choose_and_says_so(dataset):
    model, line = yardsticks.item_knn(dataset, "recall@10", False)
    assert line.startswith("ItemKNN: Chosen on 10 validation users")
    assert f"decay {model.settings.decay}" in line and f"shrink {model.settings.shrink}" in line
    best = float(line.split("recall@10 ")[1].rstrip(")"))
    assert evaluate(model, dataset.valid, (10,)).means["recall@10"] == pytest.approx(best, abs=1e-4)


def test_where_it_would_take_long_it_is_left_out_with_the_command_that_counts_it_once(dataset, monkeypatch):
    monkeypatch.setattr(yardsticks, "MOST_PAIRS", 100)
    model, line = yardsticks.item_knn(dataset, "recall@10", False)
    assert model is None and "ItemKNN is left out" in line and "--model_type ItemKNN" in line
