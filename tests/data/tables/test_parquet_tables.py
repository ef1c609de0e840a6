"""Parquet: times of every type, the sample that shows their unit, odd types, dictionaries, columns of one name."""

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from remi_tf.data.tables.item_tables import ItemColumns, add_item_table
from remi_tf.data.tables.reading import read_log
from remi_tf.data.tables.rows import BadRows
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, LAYOUT, read_text, rows_of

DAY = 18_518  # 2020-09-13


def write(tmp_path, name: str = "log.parquet", **columns):
    columns = {"user": ["a", "b"], "item": ["x", "y"], "time": [5, 6]} | columns
    parquet.write_table(pa.table(columns), tmp_path / name)
    return tmp_path / name


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        ("time", [5, 2**40], pa.timestamp("s")),
        ("time", [5, 2**62], pa.timestamp("us")),
        ("time", [5, 2**31 - 1], pa.date32()),
        ("time", [5, -1], pa.timestamp("ms")),
        ("time", [5.0, float("inf")], pa.float64()),
        ("time", [5.0, None], pa.float32()),
        ("item", [1.0, float("inf")], pa.float64()),
        ("item", [1.0, float("nan")], pa.float32()),
        ("item", ["x", None], pa.dictionary(pa.int8(), pa.string())),
        ("item", ["x", "y\nz"], pa.string()),
    ],
)
def test_a_value_that_cannot_be_used_is_a_bad_row(tmp_path, column, values, kind):
    array = (
        pa.array(values, pa.int32() if kind == pa.date32() else pa.int64()).cast(kind)
        if (pa.types.is_temporal(kind))
        else pa.array(values, kind)
    )
    path = write(tmp_path, **{column: array})
    with pytest.raises(InputError, match=rf"^log\.parquet row 2: {column} "):
        read_log([path], LAYOUT)
    assert [row[0] for row in rows_of(read_log([path], LAYOUT, on_bad_row="skip"))] == ["a"]


@pytest.mark.parametrize("values", [np.array([1, 2], np.float16), np.array([1, 1e300]), np.array([1, 2**60], float)])
def test_ids_that_are_floats_are_read_or_refused_in_one_line(tmp_path, values):
    path = write(tmp_path, item=values)
    try:
        assert rows_of(read_log([path], LAYOUT))[0] == ("a", "1", 5)
    except InputError as error:
        assert "\n" not in str(error) and "item" in str(error)


def test_two_columns_of_one_name_are_refused(tmp_path):
    table = pa.table([["a"], ["x"], [5], ["y"]], names=["user", "item", "time", "item"])
    parquet.write_table(table, tmp_path / "log.parquet")
    with pytest.raises(InputError, match=r"^log\.parquet: 2 columns are called 'item'; rename all but one"):
        read_log([tmp_path / "log.parquet"], LAYOUT)


def test_a_long_text_that_repeats_is_held_once(tmp_path):
    """As dictionaries the file takes a few MB; written out, 4 GB."""
    users = pa.DictionaryArray.from_arrays(np.zeros(4096, np.int32), ["x" * 1_000_000])
    path = write(tmp_path, user=users, item=["y"] * 4096, time=np.arange(4096))
    log = read_log([path], LAYOUT)
    assert len(log) == 4096 and len(log.user_ids) == 1 and pa.total_allocated_bytes() < 200_000_000


def test_columns_with_a_dictionary_or_a_view_are_read_as_others(tmp_path):
    expected = [("a", "x", 5), ("b", "y", 6)]
    for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int16(), pa.string())):
        assert rows_of(read_log([write(tmp_path, user=pa.array(["a", "b"], kind))], LAYOUT)) == expected
    moments = pa.array([datetime.datetime(2001, 1, 1), datetime.datetime(2001, 1, 2)])
    log = read_log([write(tmp_path, time=moments)], LAYOUT)
    assert log.seconds(log.times).tolist() == [978307200, 978393600]


def test_a_file_without_rows_is_empty(tmp_path):
    with pytest.raises(InputError, match=r"log\.parquet: the file is empty"):
        read_log([write(tmp_path, user=pa.array([], pa.string()), item=pa.array([], pa.string()), time=[])], LAYOUT)


def test_an_item_table_may_hold_lists_and_missing_values(tmp_path):
    log = read_text(tmp_path, HEAD + "a,x,1\na,y,2\n")
    table = pa.table({"item": ["x", "y"], "title": ["X", None], "category": [["c", "d"], None]})
    parquet.write_table(table, tmp_path / "items.parquet")
    add_item_table(log, tmp_path / "items.parquet", ItemColumns(), "item", None, BadRows())
    assert log.titles == {"x": "X"} and log.categories == {"x": "c"}


@pytest.mark.parametrize(
    "times",
    [
        *(pa.array([DAY * 86_400 * scale], pa.timestamp(unit)) for unit, scale in (("s", 1), ("ms", 10**3))),
        *(pa.array([DAY * 86_400 * scale], pa.timestamp(unit)) for unit, scale in (("us", 10**6), ("ns", 10**9))),
        *(pa.array([DAY], pa.date32()), pa.array([DAY * 86_400_000], pa.date64()), pa.array(["2020-09-13"])),
        *(pa.array([20200913]), pa.array([DAY * 86_400 * 10**9]), pa.array([DAY * 86_400.0])),
    ],
    ids=str,
)
def test_a_day_is_the_same_in_every_type(tmp_path, times):
    parquet.write_table(pa.table({"user": ["a"], "item": ["b"], "time": times}), tmp_path / "a.parquet")
    log = read_log([tmp_path / "a.parquet"], LAYOUT)
    assert log.seconds(log.times).tolist() == [DAY * 86_400]


def test_dates_beyond_what_a_calendar_holds_are_bad_rows(tmp_path):
    for kind, value in ((pa.timestamp("s"), 2**45), (pa.timestamp("us"), 2**62), (pa.date32(), 2**30)):
        table = pa.table({"user": ["a", "b"], "item": ["x", "y"], "time": pa.array([0, value], kind)})
        parquet.write_table(table, tmp_path / "a.parquet")
        with pytest.raises(InputError, match=r"a\.parquet row 2: time lies beyond the year 2100"):
            read_log([tmp_path / "a.parquet"], LAYOUT)
        assert len(read_log([tmp_path / "a.parquet"], LAYOUT, on_bad_row="skip")) == 1


def test_the_unit_is_told_from_the_whole_column(tmp_path):
    times = [0] * 5000 + [1_600_000_000_000 + k for k in range(20_000)]
    frame = pd.DataFrame({"user": "u", "item": "i", "time": times})
    for path in (tmp_path / "a.parquet", tmp_path / "a.csv", tmp_path / "a.jsonl"):
        if path.suffix == ".parquet":
            frame.to_parquet(path)
        elif path.suffix == ".csv":
            frame.to_csv(path, index=False)
        else:
            frame.to_json(path, orient="records", lines=True)
        assert read_log([path], LAYOUT).unit == "ms"
