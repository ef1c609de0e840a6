"""Exports: versions, their cards, and what is refused."""

import numpy as np
import pytest

from remi_tf.errors import InputError
from remi_tf.serving import export as serving
from remi_tf.serving.export import verify_export
from tests.damage import damages
from tests.full_disks import no_file_above, small_disk
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


@pytest.fixture(scope="module")
def exported(dataset, model, tmp_path_factory):
    return serving.export(model, dataset, tmp_path_factory.mktemp("export"), 5)


def test_every_flip_cut_swap_and_loss_of_every_file_of_an_export_is_found(exported):
    files = verify_export(exported)["files"]
    assert {"saved_model.pb", "assets/items.txt", "assets.extra/model_card.json"} <= files.keys()
    there = {file.relative_to(exported).as_posix() for file in exported.rglob("*") if file.is_file()}
    assert there == files.keys() | {"assets.extra/manifest.json"}
    for what, file in damages(exported):
        with pytest.raises(InputError, match=r"export the run again with python export\.py"):
            pytest.fail(f"{what} of {file} was not found: {verify_export(exported)['kind']}")
    verify_export(exported)


def test_an_export_of_an_older_version_has_no_manifest_and_says_so(exported, tmp_path):
    with pytest.raises(InputError, match=r"manifest\.json: missing; export the run again"):
        verify_export(tmp_path)


def test_two_exports_at_once_get_two_numbers(dataset, model, tmp_path, monkeypatch):
    save = serving.tf.saved_model.save

    def meanwhile(*arguments, **options):
        monkeypatch.setattr(serving.tf.saved_model, "save", save)
        assert serving.export(model, dataset, tmp_path, 3).name == "1"
        return save(*arguments, **options)

    monkeypatch.setattr(serving.tf.saved_model, "save", meanwhile)
    assert serving.export(model, dataset, tmp_path, 5).name == "2"
    cards = [serving.read_object(tmp_path / name / serving.CARD, "") for name in "12"]
    assert [card["max_top_n"] for card in cards] == [3, 5]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["1", "2"]


def test_names_that_are_no_versions_are_passed_over(dataset, model, tmp_path):
    for name in ("²", "01", "latest", "٣"):
        (tmp_path / name).mkdir()
    assert serving.exported_versions(tmp_path) == []
    assert serving.export(model, dataset, tmp_path, 5).name == "2"  # a server takes 01 for 1
    assert serving.exported_versions(tmp_path) == [2]


@pytest.mark.parametrize("size", [2_000, 8_000, 30_000])
def test_a_full_disk_leaves_neither_an_export_nor_its_folder(dataset, model, tmp_path, size):
    with no_file_above(size), pytest.raises(OSError, match="File too large; nothing is left of it") as full:
        serving.export(model, dataset, tmp_path / "deep" / "export", 5)
    assert full.value.filename == str(tmp_path / "deep" / "export") and not list(tmp_path.iterdir())


def test_an_export_on_a_small_disk_is_whole_or_refused(dataset, model, exported, tmp_path):
    needed = sum(file.stat().st_size for file in exported.rglob("*")) // 1024
    for number, part in enumerate((0.3, 0.7, 0.95)):
        with small_disk(tmp_path / str(number), int(part * needed)) as disk:
            with pytest.raises(OSError, match="No space left on device"):
                serving.export(model, dataset, disk / "export", 5)
            assert not list(disk.iterdir())
