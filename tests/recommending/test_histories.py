"""Histories of raw ids as flat arrays, and the batches made of them."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from remi_tf.errors import InputError
from remi_tf.recommending import histories
from remi_tf.recommending.histories import from_frame, from_lists, raw_id


def as_lists(found) -> dict:
    bounds = zip(found.offsets[:-1], found.offsets[1:], strict=True)
    return {user: found.items[a:b].tolist() for user, (a, b) in zip(found.users, bounds, strict=True)}


def test_lists_a_mapping_and_a_frame_say_the_same():
    lists = {"ann": ["a", 7], "bob": [], "eve": [b"c"]}
    assert as_lists(from_lists(lists)) == {"ann": ["a", "7"], "bob": [], "eve": ["c"]}
    assert as_lists(from_lists(list(lists.values()))) == {0: ["a", "7"], 1: [], 2: ["c"]}
    frame = pd.DataFrame({"user": ["eve", "ann", "ann"], "item": ["c", "7", "a"], "time": [1e9, 2e9, 1e9]})
    found = from_frame(frame, "user", "item", "time")
    assert as_lists(found) == {"eve": ["c"], "ann": ["a", "7"]} and found.seconds.tolist() == [10**9, 10**9, 2 * 10**9]
    assert from_frame(frame, "user", "item", None).seconds is None


def test_users_keep_their_names_unless_two_of_them_read_the_same():
    frame = pd.DataFrame({"user": [7, 8], "item": ["a", "b"]})
    assert list(from_frame(frame, "user", "item", None).users) == [7, 8]
    mixed = pd.DataFrame({"user": [7, "7"], "item": ["a", "b"]})
    assert as_lists(from_frame(mixed, "user", "item", None)) == {"7": ["a", "b"]}
    others = pd.DataFrame({"user": [7, 8, "7", "ann"], "item": ["a", "b", "c", "d"]})
    assert as_lists(from_frame(others, "user", "item", None)) == {"7": ["a", "c"], 8: ["b"], "ann": ["d"]}


@pytest.mark.parametrize(
    "users",
    [
        pd.Categorical(["b", "a", "b", "c"], categories=["a", "b", "c", "d"]),
        [2.0, 1.0, 2.0, 3.0],
        [b"b", b"a", b"b", b"c"],
    ],
)
def test_names_of_every_type_stay_with_their_rows(users):
    frame = pd.DataFrame({"user": users, "item": list("wxyz")}, index=[9, 9, 3, 0])
    found = as_lists(from_frame(frame, "user", "item", None))
    assert {user: rows["item"].tolist() for user, rows in frame.groupby("user", observed=True)} == found


@pytest.mark.parametrize("users", [[True, False], pd.to_datetime(["2021", "2020"])])
def test_truth_values_and_dates_name_no_users(users):
    with pytest.raises(InputError, match=r"column 'user' of type .* cannot serve as ids; convert it to text"):
        from_frame(pd.DataFrame({"user": users, "item": ["w", "x"]}), "user", "item", None)


def test_a_column_that_stands_twice_is_refused():
    frame = pd.DataFrame([[1, 2, "a"]], columns=["user", "user", "item"])
    with pytest.raises(InputError, match="column 'user' stands twice"):
        from_frame(frame, "user", "item", None)


def test_long_answers_come_in_smaller_batches():
    found = from_lists([["x"]] * 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(histories, "PLACES", 1000)
        assert max(map(len, found.batches(200))) == 5
        assert [len(batch) for batch in found.batches(10**9)] == [1] * 20


@given(st.lists(st.integers(0, 12), min_size=1, max_size=30), st.integers(1, 5), st.integers(1, 20))
def test_every_user_is_in_one_batch_that_keeps_its_limits(lengths, users, cells):
    found = from_lists([["x"] * length for length in lengths])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(histories, "USERS", users)
        patch.setattr(histories, "CELLS", cells)
        batches = list(found.batches())
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for batch in batches:
        widest = max(lengths[user] for user in batch)
        assert len(batch) <= users and (len(batch) == 1 or len(batch) * widest <= cells)


def test_padding_is_at_the_end_and_times_stand_with_their_items():
    found = from_lists([["a", "b"], [], ["c"]], timestamps=[[5, 6], [], [7]])
    items, seconds = found.padded(np.array([2, 0, 1]))
    assert items.tolist() == [["c", ""], ["a", "b"], ["", ""]] and seconds.tolist() == [[7, 0], [5, 6], [0, 0]]
    assert found.padded(np.array([1]))[0].shape == (1, 0)


def test_items_that_are_dropped_leave_every_other_with_its_user():
    found = from_lists([["a", "b"], ["c"], ["d", "e"]], timestamps=[[1, 2], [3], [4, 5]])
    kept = found.kept(np.array([False, True, False, True, True]))
    assert as_lists(kept) == {0: ["b"], 1: [], 2: ["d", "e"]} and kept.seconds.tolist() == [2, 4, 5]


@pytest.mark.parametrize("value", [None, float("nan"), pd.NA, ["a"], b"\xff", True, 1.5, 2.0**53])
def test_what_is_no_id_is_refused_with_its_place(value):
    with pytest.raises(InputError, match=r"^row 5: "):
        raw_id(value, "row 5")


def test_an_id_is_the_same_in_every_container():
    values = [1003, 1003.0, " 1003", b"1003", np.float32(1003), Decimal("1003"), tf.constant(1003), tf.constant("1003")]
    assert from_lists([values]).items.tolist() == ["1003"] * len(values)
    for table in (tf.constant([[1003, 1005]]), tf.constant([["1003", "1005"]]), np.array([[1003.0, 1005.0]])):
        assert from_lists(table).items.tolist() == ["1003", "1005"]
