"""Folders in ComiRec's text format, taken as they are."""

from pathlib import Path

import pytest

from remi_tf.commands.prepare import main
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.errors import InputError


def text_folder(tmp_path: Path, train: str, valid: str, test: str) -> Path:
    folder = tmp_path / "toy_data"
    folder.mkdir()
    for split, text in (("train", train), ("valid", valid), ("test", test)):
        (folder / f"toy_{split}.txt").write_text(text)
    return folder


def prepare(folder: Path, *flags: str):
    arguments = ["--source", "comirec", "--input", str(folder), "--output", str(folder / "out"), "--overwrite"]
    assert main([*arguments, *flags]) == 0
    return load_dataset(folder / "out")


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


NOON = 1_600_000_000  # seconds


def test_milliseconds_of_remis_files_are_stored_as_seconds(tmp_path, capsys):
    rows = [f"0,1,0,{NOON}999\n0,2,1,{NOON + 7}000\n", f"1,1,0,{NOON}000\n1,2,1,{NOON}001\n", f"2,2,0,{NOON}500\n"]
    dataset = prepare(text_folder(tmp_path, *rows))
    assert dataset.train.timestamps.tolist() == [NOON, NOON + 7] and dataset.valid.timestamps.tolist() == [NOON, NOON]
    assert dataset.has_times and "times were read as milliseconds" in capsys.readouterr().out


def test_times_of_pimis_files_order_the_rows_and_are_kept(tmp_path):
    rows = [f"0,5,{NOON + 9}\n0,6,{NOON}\n", f"1,5,{NOON + 2}\n1,6,{NOON + 1}\n", f"2,6,{NOON + 3}\n"]
    dataset = prepare(text_folder(tmp_path, *rows))
    assert dataset.train.items.tolist() == [6, 5] and dataset.train.timestamps.tolist() == [NOON, NOON + 9]
    assert dataset.has_times


def test_comirecs_indexes_are_no_times(tmp_path):
    dataset = prepare(text_folder(tmp_path, "0,5,1\n0,6,0\n", "1,5,0\n", "2,6,0\n"))
    assert dataset.train.items.tolist() == [6, 5] and not dataset.has_times


def test_the_unit_can_be_given(tmp_path):
    folder = text_folder(tmp_path, f"0,5,0,{NOON}000\n", f"1,5,0,{NOON}000\n", f"2,6,0,{NOON}000\n")
    assert not prepare(folder, "--time_unit", "none").has_times
    with pytest.raises(InputError, match=r"toy_train\.txt line 1: time .* read in s, lies in the year"):
        prepare(folder, "--time_unit", "s")
    assert prepare(folder, "--time_unit", "us").train.timestamps.tolist() == [NOON // 1000]


def test_a_row_without_a_time_among_rows_with_one_is_named(tmp_path):
    folder = text_folder(tmp_path, f"0,5,0,{NOON}\n0,6,1\n", f"1,5,0,{NOON}\n", f"2,6,0,{NOON}\n")
    with pytest.raises(InputError, match=r"toy_train\.txt line 2: 3 columns where the first row has 4"):
        prepare(folder)
    assert prepare(folder, "--on_bad_row", "skip").train.timestamps.tolist() == [NOON]


@pytest.mark.parametrize(
    "flags",
    [
        *(["--split", "time"], ["--split", "users"], ["--min_count", "3"], ["--core", "iterative"], ["--dedup"]),
        *(["--quotes", "csv"], ["--encoding", "latin-1"], ["--max_bad_rows", "9"]),
        *(["--sep", ";"], ["--keep", "event=view"], ["--layout", "sequence"], ["--time_format", "%Y"]),
    ],
)
def test_flags_that_do_not_apply_are_refused(tmp_path, flags):
    with pytest.raises(InputError, match=rf"--source comirec .*{flags[0]}"):
        prepare(comirec_folder(tmp_path), *flags)


def test_an_item_table_gives_titles_and_categories(tmp_path):
    folder = comirec_folder(tmp_path)
    (folder / "toy_item_map.txt").write_text("B00X,1\nB00Y,7\n")
    table = tmp_path / "items.csv"
    table.write_text("id,title,category\nB00X,The X,c1\nB00Y,The Y,c2\n")
    dataset = prepare(folder, "--items", str(table))
    assert dataset.titles[0] == "The X" and dataset.titles[6] == "The Y"
    assert [dataset.category_names[code - 1] for code in dataset.categories[[1, 7]]] == ["c1", "c2"]
    table.write_text("id,title\nother,The X\n")
    with pytest.raises(InputError, match=r"items\.csv: none of its ids is an item of the log"):
        prepare(folder, "--items", str(table))


def test_an_item_number_far_beyond_the_rows_is_named_instead_of_filling_the_memory(tmp_path):
    folder = text_folder(tmp_path, "0,5,0\n0,500000000,1\n", "1,5,0\n", "2,6,0\n")
    with pytest.raises(InputError, match=r"toy_train\.txt line 2: item 500000000 is far beyond the 4 rows"):
        prepare(folder)
    assert prepare(folder, "--on_bad_row", "skip").num_items == 6
    (folder / "toy_train.txt").write_text(f"0,{'9' * 5000},0\n")
    with pytest.raises(InputError, match=r"toy_train\.txt line 1: item '9{40}….* is not a whole number from 1"):
        prepare(folder)


def test_a_user_of_two_files_is_refused_with_both_files_since_training_would_see_the_test(tmp_path):
    folder = text_folder(tmp_path, "0,5,0\n11,6,0\n11,5,1\n", "1,5,0\n", "2,6,0\n 11,6,0\n")
    for flags in ([], ["--on_bad_row", "skip"]):
        with pytest.raises(InputError, match=r"toy_test\.txt line 2: user '11' is also in toy_train\.txt line 2; "):
            prepare(folder, *flags)
    assert not (folder / "out").exists()
    (folder / "toy_test.txt").write_text("2,6,0\n1,6,0\n0,6,0\n")
    with pytest.raises(InputError, match=r"in toy_valid\.txt line 1 \(2 users of toy_test\.txt are in earlier files\)"):
        prepare(folder)


def test_an_item_number_beyond_the_map_is_a_bad_row_and_no_new_items(tmp_path, capsys):
    folder = text_folder(tmp_path, "0,1,0\n0,2,1\n", "1,3,0\n", "2,1,0\n2,99999,1\n")
    (folder / "toy_item_map.txt").write_text("a,1\nc,3\n")
    with pytest.raises(
        InputError,
        match=r"toy_test\.txt line 2: item 99999 is beyond the largest number that toy_item_map\.txt names \(3\); ",
    ):
        prepare(folder)
    dataset = prepare(folder, "--on_bad_row", "skip")
    assert dataset.vocabulary.raw_ids([1, 2, 3]) == ["a", "2", "c"] and dataset.num_items == 3
    assert "dropped   1 bad rows: item beyond the item map" in capsys.readouterr().out


def test_the_summary_says_which_files_of_items_were_used_and_how_far_they_go(tmp_path, capsys):
    folder = text_folder(tmp_path, "0,1,0\n0,2,1\n", "1,3,0\n", "2,1,0\n")
    prepare(folder)
    said = capsys.readouterr().out
    assert "no toy_item_map.txt: items are called by their numbers" in said and "no toy_item_cate.txt" in said
    (folder / "toy_item_map.txt").write_text("a,1\nc,3\nd,4\n")
    (folder / "toy_item_cate.txt").write_text("1,55\n4,66\n")
    prepare(folder)
    said = capsys.readouterr().out
    assert "toy_item_map.txt names 2 of 3 items; the others are called by their numbers\n" in said
    assert "toy_item_cate.txt gives 1 of 3 items a category\n" in said
    (folder / "toy_item_map.txt").write_text("pad,0\na,1\nb,2\nc,3\n")
    prepare(folder)
    assert "toy_item_map.txt names 3 of 3 items\n" in capsys.readouterr().out
