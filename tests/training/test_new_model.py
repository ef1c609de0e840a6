"""The model of a new run: its items know which of them training has, and start from the log if they are to."""

import numpy as np
import pytest

import remi_tf
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.settings.settings import Settings
from remi_tf.training.new_model import fill_from_log, new_model
from tests.featured_runs import prepared, trained
from tests.small_runs import assert_same_run


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return load_dataset(prepared(tmp_path_factory.mktemp("new_model"), cold_share=0.2))


def made(dataset, **settings):
    return new_model(Settings().replace(embedding_dim=8, num_negatives=9, **settings), dataset, lambda: np.ones(41))


def test_items_that_training_does_not_have_are_known_as_such(dataset):
    model = made(dataset, item_tower="sum")
    counts = np.bincount(dataset.train.items, minlength=41)
    assert model.items.occurrences.numpy()[1:].tolist() == counts[1:].tolist() and not counts[1:].all()


def test_the_rows_of_the_ids_start_from_the_log_as_those_of_a_plain_table(dataset):
    plain, featured = made(dataset), made(dataset, item_tower="mlp")
    for model in (plain, featured):
        fill_from_log(model, dataset, seed=3)
    np.testing.assert_array_equal(plain.item_table.numpy(), featured.items.id_table.numpy())
    featured.finish_items()
    known = np.unique(dataset.train.items)
    np.testing.assert_allclose(featured.item_table.numpy()[known], plain.item_table.numpy()[known], rtol=1e-6)


def test_without_a_tower_features_are_not_read(dataset):
    assert dataset.features is not None and made(dataset).items is None


@pytest.mark.trains
def test_a_run_with_features_resumes_bit_by_bit_and_starts_another_one_warm(dataset, tmp_path):
    short = {"eval_every": 10, "boost": "none"}
    whole = trained(tmp_path / "whole", dataset.path, max_steps=20, **short)
    trained(tmp_path / "half", dataset.path, max_steps=10, **short)
    remi_tf.resume(tmp_path / "half" / "run", max_steps=20)
    assert_same_run(whole.path, tmp_path / "half" / "run")
    warm = remi_tf.train(dataset, run_dir=tmp_path / "warm", warm_start=whole.path, max_steps=0)
    known = np.unique(dataset.train.items)
    np.testing.assert_allclose(
        warm.model.item_table.numpy()[known], whole.model.item_table.numpy()[known], rtol=1e-3, atol=1e-5
    )
    assert warm.recommender().recommend([["b1"]], top_n=3)["item"].tolist()


@pytest.mark.trains
def test_a_cold_item_has_no_row_of_its_id_after_a_warm_start_either(dataset, tmp_path):
    (tmp_path / "all").mkdir()
    whole = trained(tmp_path, prepared(tmp_path / "all"), max_steps=20, boost="none")
    warm = remi_tf.train(dataset, run_dir=tmp_path / "warm", warm_start=whole.path, max_steps=0)
    first = dataset.num_items + 1 - dataset.num_cold
    occurrences = warm.model.items.occurrences.numpy()
    assert not occurrences[first:].any() and occurrences[1:first].all()
