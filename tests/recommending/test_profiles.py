"""Profiles go to the users by name; who has none is told."""

import numpy as np
import pandas as pd
import pytest

from remi_tf.errors import InputError
from remi_tf.recommending.profiles import Profiles
from tests.serving_toys import COLUMNS

GENDER, JOB = (column.name for column in COLUMNS)


@pytest.mark.parametrize(
    "given",
    [
        {1: ["F", "1"], 2: ["M", ""]},
        {1: {GENDER: "F", JOB: 1}, 2: {GENDER: "M"}},
        {1: ("F", np.int64(1)), 2: np.array(["M", None], object)},
        pd.Series([["M", ""], ["F", "1"]], index=[2, 1]),
        pd.DataFrame({JOB: [None, "1"], "more": [0, 0], GENDER: ["M", "F"]}, index=[2, 1]),
    ],
)
def test_a_user_gets_its_own_values_whatever_holds_them(given):
    profiles = Profiles(given, COLUMNS)
    assert profiles.rows([1, 2]) == [["F", "1"], ["M", ""]]
    assert profiles.rows([np.int64(2)]) == [["M", ""]]
    assert profiles.verdict() is None


def test_users_and_values_that_are_unknown_are_counted():
    profiles = Profiles({"ann": ["F", "no job"]}, COLUMNS)
    assert profiles.rows(["ann", "bob", "eve"]) == [["F", "no job"], ["", ""], ["", ""]]
    words = profiles.verdict()
    assert "2 of 3 users have none, such as 'bob', 'eve'" in words
    assert f"1 values are unknown and ignored, such as {JOB} 'no job'" in words
    assert Profiles(None, COLUMNS).verdict() is None and Profiles({}, COLUMNS).rows(["ann"]) == [["", ""]]


@pytest.mark.parametrize(("key", "user"), [("1", 1), (1, "1"), ("1", np.int64(1))])
def test_a_user_that_is_there_as_another_type_is_an_error(key, user):
    with pytest.raises(InputError, match=r"there is none for user '?1'? \(\w+\), but one for '?1'? \(\w+\)"):
        Profiles({key: ["F", "1"]}, COLUMNS).rows([user])


def test_profiles_of_other_users_only_are_an_error():
    profiles = Profiles({"ann": ["F", "1"]}, COLUMNS)
    profiles.rows([7, 8])
    with pytest.raises(
        InputError, match=r"none of the 2 users has one; users are named as 7 \(int\), .* 'ann' \(str\)"
    ):
        profiles.verdict()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ann": "F1"}, "user 'ann' has 'F1'; give a list, one value for each column"),
        ({"ann": ["F"]}, "1 values for user 'ann'; give one for each of gender, job"),
        ({"ann": {"sex": "F"}}, "user 'ann' has 'sex'; the columns are gender"),
        ({"ann": {"F", "1"}}, "give a list, one value for each column"),
        ([["F", "1"]], "give a dict of user → values"),
        (pd.DataFrame({GENDER: ["F"]}, index=["ann"]), "the frame has no column 'job, or none'"),
        (pd.Series([["F", "1"]] * 2, index=["ann", "ann"]), "user 'ann' stands twice in the index"),
    ],
)
def test_profiles_that_cannot_be_read_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        Profiles(given, COLUMNS).rows(["ann"])
