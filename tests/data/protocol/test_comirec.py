"""Folders in ComiRec's text format, taken as they are."""

from pathlib import Path

import pytest

from remi_tf.commands.prepare import main
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.errors import InputError


def comirec_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "toy_data"
    folder.mkdir()
    (folder / "toy_train.txt").write_text("0,3,0,100\n0,1,1,110\n1,1,0,90\n1,7,1,95\n")
    (folder / "toy_valid.txt").write_text("2,2,1,20\n2,1,0,10\n2,1,2,30\n")
    (folder / "toy_test.txt").write_text("3,1,0,1\n3,2,1,2\n3,3,2,3\n3,3,3,4\n3,1,4,5\n")
    return folder


def test_comirec_folders_are_taken_as_they_are(tmp_path):
    folder = comirec_folder(tmp_path)
    assert main(["--source", "comirec", "--input", str(folder), "--output", str(tmp_path / "a")]) == 0
    dataset = load_dataset(tmp_path / "a")
    assert dataset.num_items == 7 and dataset.vocabulary.raw_ids([7]) == ["7"]
    assert dataset.train.items.tolist() == [3, 1, 1, 7] and dataset.train.timestamps.tolist() == [100, 110, 90, 95]
    assert dataset.valid.items.tolist() == [1, 2, 1] and dataset.valid.cuts.tolist() == [2]
    assert dataset.test.cuts.tolist() == [4] and dataset.user_ids("test") == ["3"]


def test_comirec_maps_give_raw_ids_and_categories(tmp_path):
    folder = comirec_folder(tmp_path)
    (folder / "toy_item_map.txt").write_text("B00X,1\nB00Y,7\n")
    (folder / "toy_item_cate.txt").write_text("1,55\n7,66\n3,55\n")
    assert main(["--source", "comirec", "--input", str(folder), "--output", str(tmp_path / "a")]) == 0
    dataset = load_dataset(tmp_path / "a")
    assert dataset.vocabulary.raw_ids([1, 2, 7]) == ["B00X", "2", "B00Y"]
    assert dataset.categories.tolist() == [0, 1, 0, 1, 0, 0, 0, 2]


def test_comirec_folder_errors_name_the_file_and_line(tmp_path):
    folder = comirec_folder(tmp_path)
    (folder / "toy_valid.txt").write_text("2,x,0\n")
    arguments = ["--source", "comirec", "--input", str(folder), "--output", str(tmp_path / "a")]
    with pytest.raises(InputError, match=r"toy_valid.txt line 1: item 'x' is not a whole number from 1"):
        main(arguments)
    (folder / "toy_valid.txt").unlink()
    with pytest.raises(InputError, match=r"toy_valid.txt is missing"):
        main(arguments)
