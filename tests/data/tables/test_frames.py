"""Columns that come with types → chunks, whatever file they come from."""

import pyarrow as pa
import pytest

from remi_tf.data.tables.frames import TypedReader
from remi_tf.data.tables.rows import BadRows
from remi_tf.errors import InputError

NAMES = {"user": "who", "item": "what", "time": "when"}


def place(row):
    return f"table row {row}"


def texts(chunk, key):
    return chunk.texts[key].to_pylist()


def test_every_bad_row_is_counted_and_the_good_ones_stay():
    columns = {
        "user": pa.array([1.0, None, 3.0, 4.0, 5.0]),
        "item": pa.array(["a", "b", " ", "d", "e"]),
        "time": pa.array([10, 20, 30, -1, 50]),
    }
    bad = BadRows("skip")
    chunk = TypedReader(bad, "s").chunk(columns, NAMES, place)
    assert (texts(chunk, "user"), texts(chunk, "item"), chunk.times.tolist()) == (["1", "5"], ["a", "e"], [10, 50])
    assert bad.counts == {"empty id": 2, "negative time": 1}
    with pytest.raises(InputError, match="table row 1: who is empty"):
        TypedReader(BadRows("stop"), "s").chunk(columns, NAMES, place)


def test_rows_of_other_events_are_left_out_before_anything_is_checked():
    columns = {
        "user": pa.array(["u", "v", "w"]),
        "item": pa.array(["a", None, "c"]),
        "event": pa.array(["view", "click", "cart"]),
    }
    reader = TypedReader(BadRows("stop"), "none", ("view", "cart"))
    chunk = reader.chunk(columns, {**NAMES, "event": "kind"}, place)
    assert texts(chunk, "user") == ["u", "w"] and reader.other_events == 1
    columns["item"] = pa.array(["a", "b", None])
    with pytest.raises(InputError, match="table row 2: what is empty"):
        reader.chunk(columns, {**NAMES, "event": "kind"}, place)


def test_dates_are_microseconds_and_numbers_stay_in_their_unit():
    ids = {"user": pa.array(["u"]), "item": pa.array(["a"])}
    for column, unit, expected in (
        (pa.array([86_400], pa.timestamp("s")), "iso", 86_400 * 10**6),
        (pa.array([1], pa.date32()), "iso", 86_400 * 10**6),
        (pa.array([1_600_000_000_000]), "ms", 1_600_000_000_000),
    ):
        reader = TypedReader(BadRows("stop"), "auto")
        assert reader.chunk({**ids, "time": column}, NAMES, place).times.tolist() == [expected]
        assert reader.unit == unit
