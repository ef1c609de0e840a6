"""The dataset folder: read back as written, whole or absent, and refused when it was touched."""

import json

import numpy as np
import pytest

from remi_tf.data.dataset import folder
from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.data.dataset.interactions import SPLITS, Interactions
from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.errors import InputError
from remi_tf.flat_files import write_lines
from tests.damage import damages
from tests.feature_toys import toy_features

SEQUENCES = Interactions(
    np.array([1, 2, 1, 3], np.int32), np.array([5, 6, 7, 8]), np.array([0, 1, 4]), np.array([1, 2])
)


def write(path, **options):
    defaults = {
        "name": "toy",
        "splits": dict.fromkeys(SPLITS, SEQUENCES),
        "users": {split: ["ann", "bob"] for split in SPLITS},
        "vocabulary": Vocabulary(["é", "b c", "007"]),
        "made_by": {"source": "test"},
        "titles": ["one", "", "three"],
        "categories": np.array([0, 2, 1, 0]),
        "category_names": ["x", "y"],
    }
    write_dataset(path, **{**defaults, **options})
    return path


def test_what_is_read_is_what_was_written(tmp_path):
    dataset = load_dataset(write(tmp_path / "toy"))
    assert dataset.num_items == 3 and dataset.vocabulary.raw_ids([3, 1, 0]) == ["007", "é", ""]
    assert dataset.vocabulary.rows(["007", "7", "é"]).tolist() == [3, 0, 1]
    assert dataset.titles == ["one", "", "three"] and dataset.categories.tolist() == [0, 2, 1, 0]
    assert dataset.user_ids("valid") == ["ann", "bob"] and dataset.valid.lengths.tolist() == [1, 3]
    assert isinstance(dataset.train.items, np.memmap) and dataset.train.items.tolist() == [1, 2, 1, 3]


def test_features_of_items_and_the_number_of_cold_ones_are_part_of_a_dataset(tmp_path):
    path = write(tmp_path / "toy", features=toy_features(3), num_cold=1)
    dataset = load_dataset(path)
    assert dataset.num_cold == 1 and dataset.features.num_rows == 4
    assert dataset.features.codes.tolist() == toy_features(3).codes.tolist()
    plain = load_dataset(write(tmp_path / "plain"))
    assert plain.features is None and plain.num_cold == 0 and plain.fingerprint != dataset.fingerprint
    write(path, features=toy_features(2), overwrite=True)
    with pytest.raises(InputError, match=r"item_features\.json: the arrays are not those of 3 items"):
        load_dataset(path, verify=False)


def test_features_that_prepare_did_not_write_are_refused(tmp_path):
    path = write(tmp_path / "toy")
    toy_features(3).save(path)
    with pytest.raises(InputError, match=r"item_features\.json"):
        load_dataset(path)


def test_the_fingerprint_is_of_the_data_alone(tmp_path):
    first = load_dataset(write(tmp_path / "a")).fingerprint
    assert load_dataset(write(tmp_path / "b", name="other", made_by={})).fingerprint == first
    assert load_dataset(write(tmp_path / "c", titles=None)).fingerprint != first


def test_a_changed_or_missing_file_is_named(tmp_path):
    path = write(tmp_path / "toy")
    (path / "items.txt").write_text("é\nb c\n008\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"items\.txt: its bytes are not those that were written"):
        load_dataset(path)
    (path / "items.txt").write_text("é\nb c\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"items\.txt: 7 bytes, 11 were written"):
        load_dataset(path)
    (path / "items.txt").unlink()
    with pytest.raises(InputError, match=r"items\.txt: missing; prepare the dataset again"):
        load_dataset(path)


def test_another_format_version_is_refused(tmp_path):
    path = write(tmp_path / "toy")
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    (path / "manifest.json").write_text(json.dumps({**manifest, "format_version": 99}))
    with pytest.raises(InputError, match="format version 99"):
        load_dataset(path)
    with pytest.raises(InputError, match="no dataset here"):
        load_dataset(tmp_path)


def test_an_existing_folder_is_kept_unless_overwrite_and_a_failure_leaves_nothing(tmp_path):
    path = write(tmp_path / "toy")
    before = load_dataset(path).fingerprint
    with pytest.raises(InputError, match="--overwrite"):
        write(path, titles=None)
    with pytest.raises(InputError, match="line break"):
        write(path, titles=["a\nb", "", ""], overwrite=True)
    assert load_dataset(path).fingerprint == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["toy"]
    write(path, titles=None, overwrite=True)
    assert load_dataset(path).titles is None


def test_every_flip_cut_swap_and_loss_of_every_file_is_found(tmp_path):
    """Also in manifest.json, whose values have a checksum of their own."""
    path = write(tmp_path / "toy", features=toy_features(3))
    for what, file in damages(path):
        with pytest.raises(InputError):
            pytest.fail(f"{what} of {file} was not found: {load_dataset(path).name}")
    assert load_dataset(path).num_items == 3


def test_without_checksums_sizes_and_shapes_are_still_looked_at(tmp_path):
    path = write(tmp_path / "toy")
    titles = (path / "titles.txt").read_bytes()
    (path / "titles.txt").write_bytes(titles.upper())
    assert load_dataset(path, verify=False).titles == ["ONE", "", "THREE"]
    (path / "titles.txt").write_bytes(titles[:-1])
    with pytest.raises(InputError, match=r"titles\.txt: 10 bytes, 11 were written"):
        load_dataset(path, verify=False)
    (path / "titles.txt").write_bytes(titles)
    cuts = (path / "test_cuts.npy").read_bytes()
    (path / "test_cuts.npy").write_bytes(cuts.replace(b"<i8", b"<u8"))
    with pytest.raises(InputError, match=r"test_cuts\.npy: uint64 .*the manifest says int64"):
        load_dataset(path, verify=False)
    (path / "test_cuts.npy").write_bytes(b"x" * len(cuts))
    with pytest.raises(InputError, match=r"test_cuts\.npy: not the array that prepare wrote"):
        load_dataset(path, verify=False)


def test_two_that_write_one_folder_at_once_one_is_refused(tmp_path, monkeypatch):
    def meanwhile(*arguments):
        with pytest.raises(InputError, match=r"toy: process \d+ on .* is writing it; wait until it ends"):
            write(tmp_path / "toy", overwrite=True)
        return write_lines(*arguments)

    monkeypatch.setattr(folder, "write_lines", meanwhile)
    assert load_dataset(write(tmp_path / "toy")).num_items == 3
