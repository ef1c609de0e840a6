"""data/prepare.py as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from remi_tf.commands.prepare import main
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ["--user_col", "user", "--item_col", "item", "--time_col", "time"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "clicks.csv"
    rows = [f"u{user},i{item},{1_400_000_000 + user * item}\n" for user in range(20) for item in range(6)]
    path.write_text("user,item,time\n" + "".join(rows))
    return path


def test_the_script_runs_uninstalled_from_anywhere_without_tensorflow(log, tmp_path):
    code = (
        "import runpy, sys; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "finally: print('TENSORFLOW' if 'tensorflow' in sys.modules else 'light')"
    )
    script = str(ROOT / "data" / "prepare.py")
    command = [sys.executable, "-c", code, script, "--input", str(log), *COLUMNS, "--output", "out"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "light" in done.stdout and "kept      120 interactions, 20 users, 6 items" in done.stdout
    assert load_dataset(tmp_path / "out").name == "out"


def test_the_summary_tells_times_lengths_and_what_was_assumed(log, tmp_path, capsys):
    assert main(["--input", str(log), *COLUMNS, "--output", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "lengths   min 6, median 6, max 6" in said and "times     2014-05-13 to 2014-05-13" in said
    assert "times were read as seconds (guessed" in said


def test_the_default_output_is_named_after_the_file_or_source(log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["--input", str(log), *COLUMNS]) == 0
    assert load_dataset(tmp_path / "data" / "clicks").name == "clicks"
    assert main(["--source", "synthetic"]) == 0
    dataset = load_dataset(tmp_path / "data" / "synthetic")
    assert dataset.titles and dataset.categories.max() == 20
    with pytest.raises(InputError, match="--overwrite"):
        main(["--source", "synthetic"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--inptu", "x"], "unknown flag --inptu; did you mean --input?"),
        (["--user_co", "x"], "unknown flag --user_co; did you mean --user_col?"),
        (["--source", "movielens"], "invalid choice: 'movielens'"),
        ([], "give --source (one of book, gowalla"),
        (["--source", "gowalla"], "--input is missing: name the log's files; or add --download"),
        (["--source", "rocket", "--download"], "rocket has no public address; get events.csv"),
        (["--source", "gowalla", "--user_col", "u"], "--source gowalla knows its columns"),
        (["--source", "synthetic", "--input", "x"], "--source synthetic reads no file"),
        (["--download", *COLUMNS], "--download needs --source"),
        (["--input", "nowhere.csv", *COLUMNS], "nowhere.csv: no such file"),
        (["--input", "log.csv", *COLUMNS, "--items", "x.csv"], "--items x.csv: no such file; check --items"),
        (["--input", "LOG", *COLUMNS, "--min_count", "x"], "invalid int value: 'x'"),
        (["--input", "LOG", *COLUMNS, "--min_count", "0"], "--min_count 0 is below 1"),
        (["--input", "LOG", *COLUMNS, "--min_count", "21"], "no item occurs 21 times"),
        (["--input", "LOG", *COLUMNS, "--time_unit", "iso"], "is not an ISO date"),
    ],
)
def test_every_mistake_is_one_line(log, tmp_path, monkeypatch, arguments, message):
    arguments = [str(log) if argument == "LOG" else argument for argument in arguments]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        main(arguments)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_skipped_rows_are_counted_in_the_summary(log, tmp_path, capsys):
    log.write_text(log.read_text() + "u1,i1,abc\nu1,i1\n")
    with pytest.raises(InputError, match=r"clicks.csv line 122: time 'abc' is not a number; .* --on_bad_row skip"):
        main(["--input", str(log), *COLUMNS, "--output", str(tmp_path / "out")])
    assert main(["--input", str(log), *COLUMNS, "--output", str(tmp_path / "out"), "--on_bad_row", "skip"]) == 0
    said = capsys.readouterr().out
    assert "1 bad rows: time is not a number" in said and "1 bad rows: too few columns" in said


def test_overwrite_replaces_a_dataset_but_never_a_folder_of_something_else(log, tmp_path):
    arguments = ["--input", str(log), *COLUMNS, "--output", str(tmp_path / "out")]
    assert main(arguments) == 0 and main([*arguments, "--overwrite"]) == 0
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="never replaced"):
        main(["--input", str(log), *COLUMNS, "--output", str(precious), "--overwrite"])
    assert (precious / "thesis.tex").read_text() == "years of work"


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


@pytest.mark.shared
def test_ml_100k_from_its_raw_files(shared_dir, tmp_path):
    raw = shared_dir / "data" / "ml-100k" / "u.data"
    assert main(["--source", "ml-100k", "--input", str(raw), "--output", str(tmp_path / "ml")]) == 0
    dataset = load_dataset(tmp_path / "ml")
    users = [split["users"] for split in dataset.manifest["splits"].values()]
    assert users == [754, 94, 95] and dataset.num_items == 1349
    assert dataset.titles[0] == "Star Wars (1977)"
