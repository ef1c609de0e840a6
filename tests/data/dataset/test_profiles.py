"""User profiles in a dataset: codes, columns and checksums."""

from pathlib import Path

import numpy as np
import pytest

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.data.dataset.profiles import ProfileColumn, encode_profiles
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
    columns, codes = encode_profiles(["club"], profiles, ["b", "nobody", "c", "a"])
    assert columns == (ProfileColumn("club", ("x", "z")),) and codes.tolist() == [[2], [0], [0], [1]]


def test_without_a_user_table_the_folder_is_as_it_was(log, tmp_path):
    dataset = prepare(log, tmp_path / "out")
    assert dataset.train.profiles is None and dataset.profile_columns == ()
    assert not list((tmp_path / "out").glob("*profile*"))
    assert "profile" not in (tmp_path / "out" / "manifest.json").read_text()


def test_profiles_are_part_of_the_checksums_and_of_the_fingerprint(log, tmp_path):
    flags = ["--users", str(table(tmp_path / "users.csv")), "--profile_cols"]
    ages = prepare(log, tmp_path / "a", *flags, "age")
    assert ages.fingerprint != prepare(log, tmp_path / "b", *flags, "gender").fingerprint
    np.save(tmp_path / "a" / "valid_profiles.npy", 1 + ages.valid.profiles)
    with pytest.raises(InputError, match=r"valid_profiles\.npy: its bytes are not those that were written"):
        load_dataset(tmp_path / "a")
