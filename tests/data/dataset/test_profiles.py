"""User profiles in a dataset: codes, columns and checksums."""

import json
from pathlib import Path

import numpy as np
import pytest

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.data.dataset.profiles import (
    ProfileColumn,
    columns_from_json,
    columns_to_json,
    encode_profiles,
    is_column,
)
from remi_tf.data.tables.feature_kinds import Asked
from remi_tf.errors import InputError
from tests.profile_toys import prepare, table


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "clicks.csv"
    rows = [f"u{user},i{item},{1_400_000_000 + user * item}\n" for user in range(20) for item in range(6)]
    path.write_text("user,item,time\n" + "".join(rows))
    return path


def test_only_values_of_the_given_users_are_numbered_and_unknown_is_0():
    profiles = {"a": ("x",), "other": ("y",), "b": ("z",), "c": ("",)}
    club, users = [Asked("club", "category")], ["b", "nobody", "c", "a"]
    columns, codes = encode_profiles(club, {}, profiles, users, np.ones(4, bool))
    assert columns == (ProfileColumn("club", ("x", "z")),) and codes.tolist() == [[2], [0], [0], [1]]


def test_borders_of_numbers_are_learnt_from_training_users_and_unreadable_values_are_0():
    ages = {f"u{k}": (str(k),) for k in range(100)} | {"old": ("500",), "odd": ("?",), "none": ("",)}
    users, trained = list(ages), np.arange(103) < 100
    (column,), codes = encode_profiles([Asked("age", "number")], {}, ages, users, trained)
    assert max(column.edges) < 100 and column.size == 20
    assert codes[[0, 99, 100, 101, 102], 0].tolist() == [1, 20, 20, 0, 0]
    assert set(np.bincount(codes[:100, 0])[1:]) <= {4, 5, 6}
    assert [column.coder()(text) for text in ("-3", "1e2", "x", "")] == [1, 20, 0, 0]


def test_a_date_of_any_form_in_the_table_is_an_iso_date_in_a_request():
    joined = {"a": ("31/12/2019",), "b": ("01/01/2020",), "c": ("02/01/2020",)}
    (column,), codes = encode_profiles(
        [Asked("joined", "date")], {"joined": "%d/%m/%Y"}, joined, list(joined), np.ones(3, bool)
    )
    coder = column.coder()
    assert codes[:, 0].tolist() == [coder("2019-12-31"), coder("2020-01-01T23:59"), coder("2020-01-02")] == [1, 2, 3]


def test_columns_come_back_from_json_and_others_are_told_from_them():
    columns = (ProfileColumn("g", ("F", "M")), ProfileColumn("age", (), "number", (18.0, 65.0)))
    written = json.loads(json.dumps(columns_to_json(columns)))
    assert columns_from_json(written) == columns and all(map(is_column, written))
    assert written[0] == {"name": "g", "values": ["F", "M"]}  # as version 1 has it
    age = written[1]
    for wrong in (age | {"kind": "text"}, age | {"edges": ["a"]}, age | {"edges": None}, {"name": "x"}, "x", None):
        assert not is_column(wrong)


def test_without_a_user_table_the_folder_is_as_it_was(log, tmp_path):
    dataset = prepare(log, tmp_path / "out")
    assert dataset.train.profiles is None and dataset.profile_columns == ()
    assert not list((tmp_path / "out").glob("*profile*"))
    assert "profile" not in (tmp_path / "out" / "manifest.json").read_text()


def test_profiles_are_part_of_the_checksums_and_of_the_fingerprint(log, tmp_path):
    flags = ["--users", str(table(tmp_path / "users.csv")), "--user_features"]
    ages = prepare(log, tmp_path / "a", *flags, "age")
    assert ages.fingerprint != prepare(log, tmp_path / "b", *flags, "gender").fingerprint
    np.save(tmp_path / "a" / "valid_profiles.npy", 1 + ages.valid.profiles)
    with pytest.raises(InputError, match=r"valid_profiles\.npy: its bytes are not those that were written"):
        load_dataset(tmp_path / "a")
