"""Whatever holds histories: the users keep the names that the caller gave them, or it is refused."""

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
import tensorflow as tf

from remi_tf.errors import InputError
from remi_tf.recommending.forms import in_python, name_column, named_lists
from remi_tf.recommending.histories import from_frame, from_lists

LISTS = {"ann": ["a", "b"], "bob": ["c"], "eve": []}


def as_lists(found) -> dict:
    bounds = zip(found.offsets[:-1], found.offsets[1:], strict=True)
    return {user: found.items[a:b].tolist() for user, (a, b) in zip(found.users, bounds, strict=True)}


def test_a_series_names_its_users_by_its_index_as_a_dict_does_by_its_keys():
    series = pd.Series(LISTS)
    assert as_lists(from_lists(series)) == LISTS
    assert as_lists(from_lists(series.map(np.array))) == LISTS
    assert as_lists(from_lists(series[["eve", "ann"]])) == {"eve": [], "ann": ["a", "b"]}
    log = pd.DataFrame({"user": [30, 10, 30, 20], "item": ["x", "y", "z", "y"]})
    assert as_lists(from_lists(log.groupby("user")["item"].agg(list))) == {10: ["y"], 20: ["y"], 30: ["x", "z"]}
    by_two = pd.Series([["a"], ["b"]], index=pd.MultiIndex.from_tuples([("de", 1), ("fr", 1)]))
    assert as_lists(from_lists(by_two)) == {("de", 1): ["a"], ("fr", 1): ["b"]}


@pytest.mark.parametrize(
    "positions",
    [
        np.array([["a", "b"], ["c", "d"]]),
        tf.constant([["a", "b"], ["c", "d"]]),
        tf.ragged.constant([["a", "b"], ["c", "d"]]),
        [tf.constant(["a", "b"]), np.array(["c", "d"], object)],
        [pa.array(["a", "b"]), pd.Series(["c", "d"], index=[7, 3])],
        pa.array([["a", "b"], ["c", "d"]]),
        {0: ["a", "b"], 1: ["c", "d"]}.values(),
    ],
)
def test_arrays_and_tensors_name_users_by_their_positions(positions):
    assert as_lists(from_lists(positions)) == {0: ["a", "b"], 1: ["c", "d"]}


def test_generators_are_read_once():
    assert as_lists(from_lists((item for item in pair) for pair in ("ab", "cd"))) == {0: ["a", "b"], 1: ["c", "d"]}


@pytest.mark.parametrize(
    ("histories", "message"),
    [
        (pd.Series([["a"], ["b"]], index=["ann", "ann"]), "user 'ann' stands twice in the index of the Series"),
        (pd.Series([["a"], ["b"]], index=["ann", None]), "a name in the index of the Series is missing"),
        (pd.DataFrame({"u": [1], "i": ["a"]}).groupby("u")["i"], r"a groupby is not read; give .*agg\(list\)"),
        (pd.DataFrame({"u": [1], "i": ["a"]}).groupby("u"), "a groupby is not read"),
        ({"ann": {"a", "b"}}, "user 'ann' has .*: it has no order"),
        ({"ann": {"a": 3}}, "user 'ann' has .*: it has no order"),
        ({("a", "b"), ("c", "d")}, "it has no order"),
        ([{"user": "ann", "item": "a"}], "it has no order"),
        ({"user": ["ann"], "item": ["a"]}, r"these are columns, not users; give pd.DataFrame\(histories\)"),
        (pd.Series(["a", "b"]), "user 0 has 'a'; give a list of raw ids"),
        (tf.constant(["a", "b"]), "give a list of histories"),
        (tf.constant("a"), "give a list of histories"),
        (np.array([[["a"]]]), "is an array, not one raw id"),
        (list(LISTS.items()), "is not a raw id"),
        (tf.sparse.from_dense([[1, 0]]), "a SparseTensor cannot be read as lists"),
        (5, "this is a builtins int"),
    ],
)
def test_what_tells_no_users_or_no_order_is_refused(histories, message):
    with pytest.raises(InputError, match=message):
        from_lists(histories)


def test_times_in_a_series_go_to_the_users_by_name_and_lists_by_position():
    times = pd.Series({"bob": [30], "eve": [], "ann": [10, 20]})
    for given in (times, times.to_dict(), [[10, 20], [30], []], tf.ragged.constant([[10, 20], [30], []])):
        for histories in (LISTS, pd.Series(LISTS)):
            assert from_lists(histories, given).seconds.tolist() == [10, 20, 30]
    shuffled = pd.Series([[30], [10, 20]], index=[1, 0])
    assert from_lists([["a", "b"], ["c"]], shuffled).seconds.tolist() == [10, 20, 30]


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (pd.Series({"ann": [1, 2], "bob": [3]}), r"there are none for user 'eve' \(str\)"),
        (pd.Series([[1, 2], [3], []]), "there are none for user 'ann'"),
        (pd.Series([[1, 2], [3], []], index=["ann", "ann", "bob"]), "user 'ann' stands twice"),
        ([[1, 2], [3]], "there are 2 lists for 3 users"),
        ([[1], [3], []], "user 'ann' has 2 items and 1 times"),
        (pd.DataFrame({"time": [1]}), "give one for each item of each history"),
    ],
)
def test_times_that_do_not_fit_are_refused(times, message):
    with pytest.raises(InputError, match=message):
        from_lists(LISTS, times)


def test_a_frame_with_one_list_for_each_user_is_read_as_its_lists():
    frame = pd.DataFrame({"user": list(LISTS), "item": list(LISTS.values()), "time": [[5, 6], [7], []]})
    for given in (frame, frame.set_index("user"), pa.Table.from_pandas(frame).to_pandas()):
        found = from_frame(given, "user", "item", "time")
        assert as_lists(found) == LISTS and found.seconds.tolist() == [5, 6, 7]
    with pytest.raises(InputError, match="user 'ann' stands twice"):
        from_frame(pd.concat([frame, frame]), "user", "item", None)
    with pytest.raises(InputError, match="column 'item': 2 of 3 cells hold lists"):
        from_frame(frame.assign(item=[["a"], ["b"], "c"]), "user", "item", None)


def test_tables_of_other_libraries_become_frames_and_lazy_ones_are_refused_by_name():
    columns = {"user": ["ann"], "item": ["a"]}
    for table in (pa.table(columns), polars.DataFrame(columns)):
        assert in_python(table).to_dict("list") == columns
    with pytest.raises(InputError, match=r"LazyFrame; call \.collect\(\) first"):
        named_lists(polars.LazyFrame(columns))


def test_names_of_several_types_stay_what_they_are():
    assert name_column([1, 2]).tolist() == [1, 2] and name_column([1, 2]).dtype == np.int64
    assert name_column([1, None, 2.5, "1"]).tolist() == [1, None, 2.5, "1"]
    assert name_column([2**70]).tolist() == [2**70]
