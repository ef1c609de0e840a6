"""Counted models next to which an evaluation is printed."""

import numpy as np
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


def test_a_choice_is_made_once_for_what_is_asked(dataset, tmp_path, monkeypatch):
    file, made = tmp_path / "item_knn.json", []
    choose = yardsticks.choose
    monkeypatch.setattr(yardsticks, "choose", lambda *args: made.append(args) or choose(*args))
    first, line = yardsticks.item_knn(dataset, "recall@10", False, file)
    again, same = yardsticks.item_knn(dataset, "recall@10", False, file)
    assert len(made) == 1 and same == line and again.settings == first.settings
    np.testing.assert_array_equal(again.values, first.values)
    yardsticks.item_knn(dataset, "recall@10", True, file)
    yardsticks.item_knn(dataset, "recall@5", True, file)
    assert len(made) == 3
    for damage in (b"", b"[]", b'{"metric": 3}', file.read_bytes().replace(b"decay", b"decoy")):
        file.write_bytes(damage)
        assert yardsticks.item_knn(dataset, "recall@5", True, file)[1].startswith("ItemKNN: Chosen")
    assert len(made) == 7
    unwritable = tmp_path / "nowhere" / "item_knn.json"
    assert yardsticks.item_knn(dataset, "recall@10", False, unwritable)[1] == line


def test_where_it_would_take_long_it_is_left_out_with_the_command_that_counts_it_once(dataset, monkeypatch):
    monkeypatch.setattr(yardsticks, "MOST_PAIRS", 100)
    model, line = yardsticks.item_knn(dataset, "recall@10", False)
    assert model is None and "ItemKNN is left out" in line and "--model_type ItemKNN" in line
