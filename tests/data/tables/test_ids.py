"""One id, one spelling: whatever it came in."""

import json
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from remi_tf.data.tables.data_frames import read_frame
from remi_tf.data.tables.ids import NotAnId, all_whole, id_text, spelling_hint
from remi_tf.data.tables.layouts import Columns, Layout
from remi_tf.data.tables.reading import read_log, stream_log
from remi_tf.data.tables.rows import BadRows
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, LAYOUT, read_text, rows_of


@pytest.mark.parametrize(
    "value",
    [
        *(103, 103.0, "103", " 103", "103\t", b"103", b" 103 ", Decimal("103"), Decimal("103.00")),
        *(np.int8(103), np.uint64(103), np.float16(103), np.float32(103), np.float64(103), np.str_("103")),
        *(np.array(103), np.array(103.0), np.array("103"), np.array(b"103"), np.array(103, object)),
        *(tf.constant(103), tf.constant(103.0), tf.constant("103"), tf.constant(103, tf.int64)),
    ],
)
def test_one_item_has_one_text_in_every_container(value):
    assert id_text(value) == "103"


@pytest.mark.parametrize(
    "value",
    [
        *(True, np.True_, np.array(False), tf.constant(True), None, float("nan"), np.nan, pd.NA, pd.NaT, 1.5),
        *(float("inf"), Decimal("1.5"), Decimal("NaN"), [1], (1,), {1}, {"a": 1}, np.array([103]), tf.constant([103])),
        *(b"\xff", object(), pd.Timestamp("2020-01-01"), np.datetime64("2020-01-01"), pd.Series([1]), 1j),
    ],
)
def test_what_is_no_id_is_refused(value):
    with pytest.raises(NotAnId):
        id_text(value)


def test_floats_that_do_not_tell_whole_numbers_apart_are_refused_and_integers_are_not():
    assert 2.0**53 == 2.0**53 + 1  # this is why
    assert id_text(2.0**53 - 1) == "9007199254740991" and id_text(2**53 + 1) == "9007199254740993"
    for value in (2.0**53, -(2.0**53), 1e300, np.float32(2**24)):
        with pytest.raises(NotAnId, match="do not tell whole numbers apart"):
            id_text(value)
    one = uuid.UUID("00000000-0000-4000-8000-00000000000a")
    assert id_text(one) == str(one) and id_text("007") == "007" and id_text("1.0") == "1.0"


def test_may_without_and_june_with_point_zero_are_one_log(tmp_path):
    (tmp_path / "may.csv").write_text(HEAD + "u1,103,1\nu2,104,2\n")
    (tmp_path / "june.csv").write_text(HEAD + "u1,103.0,3\nu3,105.0,4\n")
    log = read_log([tmp_path / "may.csv", tmp_path / "june.csv"], LAYOUT)
    assert rows_of(log) == [("u1", "103", 1), ("u2", "104", 2), ("u1", "103", 3), ("u3", "105", 4)]
    assert any("2 item ids were whole numbers with .0" in note for note in log.notes)


@pytest.mark.parametrize("other", ["1.5", "x1", "1.0.2", "1e3"])
def test_a_column_that_does_not_hold_whole_numbers_only_stays_as_it_is(tmp_path, other):
    log = read_text(tmp_path, HEAD + f"u,1.0,1\nu,{other},2\nu,1,3\n")
    assert log.item_ids.to_pylist() == ["1.0", other, "1"]
    assert any("with and without .0" in note for note in log.notes)


def test_white_space_around_ids_goes_and_is_counted(tmp_path):
    log = read_text(tmp_path, "user, item, time\nu1, i 1, 5\nu1,i 1 ,6\n u2\u00a0,i 1,7\n")
    assert rows_of(log) == [("u1", "i 1", 5), ("u1", "i 1", 6), ("u2", "i 1", 7)]
    assert {note for note in log.notes if "white space" in note} == {
        "white space around 1 user ids was taken off",
        "white space around 2 item ids was taken off",
    }


def test_every_form_of_file_gives_whole_numbers_without_point_zero(tmp_path):
    frame = pd.DataFrame({"user": [1.0, 2.0], "item": [103.0, 104.0], "time": [5, 6]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in frame.to_dict("records")))
    mixed = [{"user": "1", "item": 103.0, "time": 5}, {"user": 2, "item": 104, "time": 6}]
    (tmp_path / "mixed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in mixed))
    pd.DataFrame({**frame, "item": [Decimal("103.00"), Decimal("104.00")]}).to_parquet(tmp_path / "decimal.parquet")
    pd.DataFrame({**frame, "item": pd.Categorical([103.0, 104.0])}).to_parquet(tmp_path / "category.parquet")
    pd.DataFrame({**frame, "item": [b"103", b"104"]}).to_parquet(tmp_path / "bytes.parquet")
    for path in sorted(tmp_path.iterdir()):
        assert rows_of(read_log([path], LAYOUT)) == [("1", "103", 5), ("2", "104", 6)], path.name


def test_objects_in_a_frame_are_ids_or_are_refused_by_row():
    one = uuid.UUID(int=7)
    frame = pd.DataFrame({"user": [one, one], "item": [Decimal(3), "x"]})
    assert rows_of(read_frame(frame, Columns("user", "item"))) == [(str(one), "3", None), (str(one), "x", None)]
    for value in (True, [1], 2.5):
        with pytest.raises(InputError, match=r"the frame row 1: item .* not a"):
            read_frame(pd.DataFrame({"user": [1, 2], "item": ["a", value]}), Columns("user", "item"))
    for column in ([True, False], [[1], [2]], pd.to_datetime(["2020-01-01", "2020-01-02"])):
        with pytest.raises(InputError, match=r"column 'item' of type .* cannot serve as ids"):
            read_frame(pd.DataFrame({"user": [1, 2], "item": column}), Columns("user", "item"))


def test_large_and_broken_floats_are_bad_rows_with_their_value(tmp_path):
    items = [103.0, 2.0**60, float("inf"), 1e300, 1.5]
    frame = pd.DataFrame({"user": ["u"] * 5, "item": items, "time": [1, 2, 3, 4, 5]})
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet row 2: item 1\.152.*do not tell whole numbers apart"):
        read_log([tmp_path / "a.parquet"], LAYOUT)
    log = read_log([tmp_path / "a.parquet"], LAYOUT, on_bad_row="skip")
    assert rows_of(log) == [("u", "103", 1)] and log.dropped == {"bad rows: not an id": 4}


def test_text_of_large_whole_numbers_keeps_its_point_zero_with_a_note(tmp_path):
    log = read_text(tmp_path, HEAD + "u,9007199254740993.0,1\nu,5.0,2\n")
    assert log.item_ids.to_pylist() == ["9007199254740993.0", "5"]
    assert any("too large for a float" in note for note in log.notes)
    rounded = read_text(tmp_path, HEAD + "u,1.2345678901234568e+17,1\n")
    assert any("look like rounded floats" in note for note in rounded.notes)


@pytest.mark.parametrize(("last", "first"), [("105.0", "103"), ("x", "103.0")])
def test_a_log_read_in_pieces_has_the_same_ids(tmp_path, last, first):
    rows = "".join(f"u{k}, {100 + k},{k}\n" for k in range(3))
    (tmp_path / "a.csv").write_text(HEAD + rows)
    (tmp_path / "b.csv").write_text(HEAD + f"u9,103.0,7\nu9,{last},8\n")
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    pieces = [chunk.texts["item"] for chunk, _ in stream_log(files, LAYOUT, bad=BadRows())]
    ids = [text for piece in pieces for text in piece.to_pylist()]
    log = read_log(files, Layout(Columns("user", "item", "time")))
    assert ids == [row[1] for row in rows_of(log)] and ids[3] == first


def test_ids_that_almost_match_are_explained():
    assert "upper and lower case" in spelling_hint(["ab"], ["AB"])
    assert "leading zeros" in spelling_hint(["007"], ["7"])
    assert ".0" in spelling_hint(["7.0"], ["7"]) and "spaces" in spelling_hint(["a b"], ["ab"])
    assert spelling_hint(["a"], ["b", "a"]) == ""


def test_whole_numbers_of_a_column():
    import pyarrow as pa

    assert all_whole(pa.array(["1", "2.0", "-3", " 4.00 "])) and not all_whole(pa.array(["1", "1.5"]))
