"""User tables: every user keeps the own profile, and a table that cannot be used is named."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import remi_tf
from remi_tf.commands.prepare import main
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.data.dataset.interactions import SPLITS
from remi_tf.data.dataset.profiles import ProfileColumn
from remi_tf.errors import InputError
from tests.profile_toys import PEOPLE, prepare, profiles_as_text, profiles_of, table


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "clicks.csv"
    rows = [f"u{user},i{item},{1_400_000_000 + user * item}\n" for user in range(20) for item in range(6)]
    path.write_text("user,item,time\n" + "".join(rows))
    return path


@pytest.mark.parametrize("name", ["users.csv", "users.tsv.gz", "users.jsonl", "users.parquet"])
@pytest.mark.parametrize("split", ["users", "leave_one_out"])
def test_every_user_keeps_the_own_profile_whatever_the_form_and_the_split(log, tmp_path, name, split, capsys):
    users = table(tmp_path / name)
    flags = ["--users", str(users), "--user_features", "job, gender,age", "--split", split]
    dataset = prepare(log, tmp_path / "out", *flags)
    expected = {f"u{n}": PEOPLE.get(f"u{n}", ("", "", "")) for n in range(20)}
    assert profiles_as_text(dataset) == {user: (job, gender, age) for user, (gender, age, job) in expected.items()}
    assert [column.name for column in dataset.profile_columns] == ["job", "gender", "age"]
    assert dataset.profile_columns[1] == ProfileColumn("gender", ("F", "M")) and dataset.profile_sizes == (19, 2, 3)
    assert dataset.train.profiles.dtype == np.int32
    said = capsys.readouterr().out
    for words in ("job (category): 19 values; 95.0%", "gender (category): 2 values; 90.0%", "age (category): 3 val"):
        assert f"profile   {words}" in said
    assert "--user_features job:category,gender:category,age:category" in said
    assert f"{name} describes 19 of the log's 20 users" in said


@pytest.mark.parametrize(
    ("content", "flags", "message"),
    [
        ("user,gender\nu1,F\n", ["gendr"], "users.csv: no column 'gendr'; there are .*; did you mean 'gender'"),
        ("user,gender\nu1,F\n", ["gender", "--users_id_col", "id"], "users.csv: no column 'id'; there are"),
        (
            "user,gender\nu1,F\nu2,M\nu1,M\n",
            ["gender"],
            "users.csv line 4: user 'u1' stands in users.csv line 2 already",
        ),
        ("user,gender\nu1,F\nu2\n", ["gender"], "users.csv line 3: 1 columns where 2 are expected; mend it or add"),
        ("user,gender\n1,F\n", ["gender"], "users.csv: none of its ids is a user of the log; check --users_id_col"),
        (
            "user,gender\nu1, \n",
            ["gender"],
            "users.csv: none of the 20 kept users has a value of gender; leave it out .*, or leave out --users",
        ),
        (
            "user,gender,age\nu1,F,\nu2,M,\n",
            ["gender,age"],
            "users.csv: none of the 20 kept users has a value of age; leave it out of --user_features$",
        ),
        (
            "user,age\nu1,30\nu2,old\n",
            ["age:number"],
            "users.csv line 3: age: 'old' is no number; mend it or add --on_bad_row skip",
        ),
        ("user,gender\nu1,F\n", ["gender:multi"], "gender:multi: 'multi' is no kind of feature here; a request gives"),
        ("user,gender\nu1,F\n", ["gender,gender"], "--user_features gender,gender: gender stands there twice"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line_with_the_remedy(log, tmp_path, content, flags, message):
    (tmp_path / "users.csv").write_text(content)
    with pytest.raises(InputError, match=message) as error:
        prepare(log, tmp_path / "out", "--users", str(tmp_path / "users.csv"), "--user_features", *flags)
    assert "\n" not in str(error.value) and not (tmp_path / "out").exists()


def test_a_user_twice_can_be_skipped_and_the_first_row_counts(log, tmp_path, capsys):
    (tmp_path / "users.csv").write_text("user,gender\nu1,F\nu1,M\n")
    flags = ["--users", str(tmp_path / "users.csv"), "--user_features", "gender", "--on_bad_row", "skip"]
    assert profiles_as_text(prepare(log, tmp_path / "out", *flags))["u1"] == ("F",)
    assert "1 bad rows: user table: a user twice" in capsys.readouterr().out


def test_movielens_brings_gender_age_and_occupation(tmp_path, capsys):
    ratings = [(user, item, 5, 880_000_000 + item) for user in range(1, 21) for item in range(1, 6)]
    (tmp_path / "u.data").write_text("".join("\t".join(map(str, row)) + "\n" for row in ratings))
    assert main(["--source", "ml-100k", "--input", str(tmp_path / "u.data"), "--output", str(tmp_path / "none")]) == 0
    assert "no user profiles: u.user of ml-100k, which brings them, is not beside" in capsys.readouterr().out
    (tmp_path / "u.user").write_text("1|24|M|technician|85711\n7|53|F|other|94043\n")
    assert main(["--source", "ml-100k", "--input", str(tmp_path / "u.data"), "--output", str(tmp_path / "a")]) == 0
    found = profiles_as_text(load_dataset(tmp_path / "a"))
    assert (found["1"], found["7"], found["2"]) == (("M", "24", "technician"), ("F", "53", "other"), ("", "", ""))
    with zipfile.ZipFile(tmp_path / "ml-1m.zip", "w") as archive:
        archive.writestr("ml-1m/ratings.dat", "".join("::".join(map(str, row)) + "\n" for row in ratings))
        archive.writestr("ml-1m/users.dat", "1::F::1::10::48067\n")
    assert main(["--source", "ml-1m", "--input", str(tmp_path / "ml-1m.zip"), "--output", str(tmp_path / "b")]) == 0
    dataset = load_dataset(tmp_path / "b")
    assert [column.name for column in dataset.profile_columns] == ["gender", "age", "occupation"]
    assert profiles_as_text(dataset)["1"] == ("F", "1", "10")
    assert {"file": "users.dat", "holds": "user table"} in json.loads((tmp_path / "b" / "manifest.json").read_text())[
        "made_by"
    ]["files"]


def test_numbers_and_dates_get_quantiles_and_a_frame_is_a_table_too(log, tmp_path):
    people = pd.DataFrame({"user": [f"u{n}" for n in range(20)], "age": [20.5 + n for n in range(20)]})
    people["joined"] = pd.date_range("2024-01-01", periods=20)
    people.loc[3, ["age", "joined"]] = None
    options = {"user_col": "user", "item_col": "item", "time_col": "time", "users": people}
    dataset = remi_tf.prepare(log, tmp_path / "out", user_features=["age", "joined:date"], **options)
    age, joined = dataset.profile_columns
    assert (age.kind, joined.kind) == ("number", "date") and age.size > 10
    codes = {user: tuple(row) for split in SPLITS for user, row in profiles_of(dataset, split)}
    assert codes["u3"] == (0, 0) and codes["u0"] == (1, 1)
    assert [codes[f"u{n}"][0] for n in range(4, 20)] == sorted(codes[f"u{n}"][0] for n in range(4, 20))
    assert codes["u9"] == (age.coder()("29.5"), joined.coder()("2024-01-10"))


def test_ones_own_choice_of_a_sources_columns(tmp_path, capsys):
    ratings = [(user, item, 5, 880_000_000 + item) for user in range(1, 21) for item in range(1, 6)]
    (tmp_path / "u.data").write_text("".join("\t".join(map(str, row)) + "\n" for row in ratings))
    command = [
        "--source",
        "ml-100k",
        "--input",
        str(tmp_path / "u.data"),
        "--overwrite",
        "--output",
        str(tmp_path / "a"),
    ]
    with pytest.raises(InputError, match=r"--user_features age: u\.user of ml-100k is not next to the log"):
        main([*command, "--user_features", "age"])
    (tmp_path / "u.user").write_text("".join(f"{user}|{20 + user}|M|technician|1\n" for user in range(1, 21)))
    assert main([*command, "--user_features", "age:number"]) == 0
    assert [(column.name, column.kind) for column in load_dataset(tmp_path / "a").profile_columns] == [
        ("age", "number")
    ]
    assert main([*command, "--user_features", "none"]) == 0
    assert load_dataset(tmp_path / "a").profile_columns == ()
    with pytest.raises(InputError, match=r"u\.user: no column 'ages'; there are .*; did you mean 'age'"):
        main([*command, "--user_features", "ages"])


def test_the_old_name_of_the_flag_says_the_new_one(log, tmp_path):
    with pytest.raises(InputError, match="--profile_cols: it is called user_features now"):
        main(["--input", str(log), "--profile_cols", "age"])
    with pytest.raises(InputError, match="prepare has no option 'profile_cols'; it is called user_features now"):
        remi_tf.prepare(log, tmp_path / "out", profile_cols="age")
