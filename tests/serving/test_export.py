"""Exports: versions, their cards, and what is refused."""

import numpy as np
import pytest

from remi_tf.errors import InputError
from remi_tf.serving import export as serving
from tests.serving_toys import NUM_ITEMS, RAW_IDS, Exported, TinyModel, make_dataset

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="module")
def model():
    return TinyModel()


def test_versions_with_other_vocabularies_live_side_by_side_in_a_process(model, tmp_path):
    versions = []
    for number, raw_ids in enumerate((RAW_IDS, RAW_IDS[::-1])):
        dataset = make_dataset(tmp_path / "data", raw_ids)
        serving.export(model, dataset, tmp_path / "export", 3)
        versions.append(Exported(tmp_path / "export"))
        (tmp_path / "data").rename(tmp_path / f"data {number}")
    assert [version.recommend([], 3)[0] for version in versions] == [RAW_IDS[:3], RAW_IDS[:-4:-1]]


def test_versions_count_up_and_a_failed_export_leaves_nothing(dataset, model, tmp_path, monkeypatch):
    assert [serving.export(model, dataset, tmp_path, 5).name for _ in range(2)] == ["1", "2"]
    (tmp_path / "7").mkdir()
    assert serving.export(model, dataset, tmp_path, 5).name == "8"

    def fails(*arguments, **options):
        raise OSError("disk full")

    monkeypatch.setattr(serving.tf.saved_model, "save", fails)
    with pytest.raises(OSError, match="disk full"):
        serving.export(model, dataset, tmp_path, 5)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["1", "2", "7", "8"]


def test_top_n_is_cut_to_the_catalogue_and_an_excluded_history_leaves_the_rest_of_it(model, dataset, tmp_path):
    serving.export(model, dataset, tmp_path, 1000, exclude_history=True)
    exported = Exported(tmp_path)
    assert exported.card["max_top_n"] == NUM_ITEMS
    items, scores, _ = exported.recommend(RAW_IDS[:6], NUM_ITEMS)
    assert sorted(items) == sorted(RAW_IDS[6:]) and len(scores) == len(items)


def test_what_cannot_be_exported_is_refused_before_anything_is_written(dataset, tmp_path):
    with pytest.raises(InputError, match="the model has 5 items, the dataset tiny has 200"):
        serving.export(TinyModel(5), dataset, tmp_path / "export")
    broken = TinyModel()
    broken.item_table.assign(broken.item_table * np.nan)
    with pytest.raises(InputError, match="NaN"):
        serving.export(broken, dataset, tmp_path / "export")
    with pytest.raises(InputError, match="empty id"):
        serving.export(TinyModel(3), make_dataset(tmp_path / "data", ["a", "", "b"]), tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_a_folder_without_an_export_is_named(tmp_path):
    with pytest.raises(InputError, match="no exported model here"):
        Exported(tmp_path)
