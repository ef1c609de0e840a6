"""data/prepare.py as a user runs it."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from remi_tf.commands.prepare import main
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.errors import InputError
from tests.amazon_toys import BEGIN, item, lines, ratings, review

ROOT = Path(__file__).resolve().parents[2]


COLUMNS = ["--user_col", "user", "--item_col", "item", "--time_col", "time"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "clicks.csv"
    rows = [f"u{user},i{item},{1_400_000_000 + user * item}\n" for user in range(20) for item in range(6)]
    path.write_text("user,item,time\n" + "".join(rows))
    return path


@pytest.mark.trains
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
        (["--source", "movielens"], "--source 'movielens': choose one of book, gowalla"),
        ([], "give --source (one of book, gowalla"),
        (["--source", "amazon-2023:Movies"], "is no category of the release; did you mean amazon-2023:Movies_and_TV?"),
        (["--source", "amazon-2023:Books"], "--input is missing: name the log's files; or add --download"),
        (["--source", "gowalla"], "--input is missing: name the log's files; or add --download"),
        (["--source", "rocket", "--download"], "rocket has no public address; get events.csv"),
        (["--source", "gowalla", "--user_col", "u"], "--source gowalla knows its columns"),
        (["--source", "synthetic", "--input", "x"], "--source synthetic reads no file"),
        (
            ["--download", *COLUMNS],
            "--download needs --source, one of book, gowalla, ml-100k, ml-1m, amazon-2023:CATEGORY",
        ),
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


@pytest.fixture
def amazon(tmp_path: Path, monkeypatch) -> Path:
    """A folder with reviews, ratings and the item table of one category; the working directory is another one."""
    folder, here = tmp_path / "raw", tmp_path / "here"
    folder.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    rows = [review(f"AG{user}", f"B{n % 6}", BEGIN + user + n * 1000) for user in range(20) for n in range(6)]
    (folder / "Movies_and_TV.jsonl.gz").write_bytes(gzip.compress(lines(rows).encode()))
    (folder / "Movies_and_TV.csv").write_text(ratings(rows))
    table = [item(f"B{n}", ["Movies & TV", "Genres", "Drama" if n % 2 else "Horror"]) for n in range(6)]
    (folder / "meta_Movies_and_TV.jsonl.gz").write_bytes(gzip.compress(lines(table).encode()))
    return folder


@pytest.mark.parametrize("name", ["Movies_and_TV.jsonl.gz", "Movies_and_TV.csv"])
def test_a_category_of_amazon_2023_from_either_form(amazon, capsys, name):
    assert main(["--source", "amazon-2023:Movies_and_TV", "--input", str(amazon / name)]) == 0
    dataset = load_dataset("data/amazon-2023-Movies_and_TV")
    assert dataset.name == "amazon-2023-Movies_and_TV" and dataset.num_items == 6
    made_by = dataset.manifest["made_by"]
    assert made_by["settings"]["split"] == "leave_one_out" and made_by["source"] == "amazon-2023:Movies_and_TV"
    assert dataset.train.num_users == dataset.test.num_users == 20 and len(dataset.train.items) == 20 * 4
    assert dataset.titles[0] == "Film B0" and (dataset.path / "category_names.txt").read_text() == "Horror\nDrama\n"
    assert [column.name for column in dataset.features.columns] == ["categories", "store", "price", "title"]
    said = capsys.readouterr().out
    assert "times     2020-05-05 to 2020-05-05" in said and "times were read as milliseconds" in said
    assert "note      split: leave_one_out, as in BaM's results on this release" in said


def test_what_is_said_of_a_category_of_amazon_2023_counts(amazon, capsys):
    command = ["--source", "amazon-2023:Movies_and_TV", "--input", str(amazon / "Movies_and_TV.csv"), "--name", "films"]
    assert main([*command, "--split", "users", "--category_level", "1", "--item_features", "price"]) == 0
    dataset = load_dataset("data/films")
    assert dataset.train.num_users == 16 and "split: users, as --split says" in capsys.readouterr().out
    assert (dataset.path / "category_names.txt").read_text() == "Movies & TV\n"
    assert [column.name for column in dataset.features.columns] == ["price"]


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


def test_a_parquet_of_items_with_nested_lists_and_missing_brands(log, tmp_path, capsys):
    items = [f"i{k}" for k in range(6)]
    table = pd.DataFrame({"id": [*items, "new"], "tags": [["a", "b"], ["b"], None, ["a"], [], ["b"], ["z"]]})
    table["brand"] = ["x", None, "x", "y", None, "y", "z"]
    table["vector"] = [None, *([0.5, k] for k in range(6))]
    table.to_parquet(tmp_path / "items.parquet")
    command = ["--input", str(log), *COLUMNS, "--items", str(tmp_path / "items.parquet"), "--items_id_col", "id"]
    command += ["--item_features", "tags,brand,vector:vector", "--cold_share", "0.2", "--output", str(tmp_path / "out")]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "feature   tags (multi): " in said and " values; 66.7% of the items have it" in said
    assert "feature   brand (category): " in said and "66.7% of the items have it" in said
    assert "feature   vector (vector): 2 numbers; 83.3% of the items have it" in said
    assert "cold      1 items are hidden from training" in said and "--item_features tags:multi,brand:category" in said
    assert "1 of the table's items" in said
    dataset = load_dataset(tmp_path / "out")
    features, row = dataset.features, dataset.vocabulary.rows(["i3"])[0]
    assert features.num_rows == 7 and dataset.num_cold == 1
    assert (features.vectors[2][row] / features.columns[2].scale).tolist() == pytest.approx([0.5, 2])
    files = dataset.manifest["files"]
    assert {"item_features.json", "item_codes.npy", "item_code_offsets.npy", "item_vectors_2.npy"} <= set(files)


@pytest.mark.shared
def test_ml_100k_from_its_raw_files(shared_dir, tmp_path):
    raw = shared_dir / "data" / "ml-100k" / "u.data"
    assert main(["--source", "ml-100k", "--input", str(raw), "--output", str(tmp_path / "ml")]) == 0
    dataset = load_dataset(tmp_path / "ml")
    users = [split["users"] for split in dataset.manifest["splits"].values()]
    assert users == [754, 94, 95] and dataset.num_items == 1349
    assert dataset.titles[0] == "Star Wars (1977)"
    assert [column.name for column in dataset.features.columns] == ["genres", "year", "title"]
    words = dataset.features.columns[2].values
    assert "the" in words and "1995" not in words  # the year is a feature of its own
