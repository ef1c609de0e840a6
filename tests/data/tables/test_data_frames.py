"""A DataFrame is read as a file of its columns would be."""

import pandas as pd
import pytest

from remi_tf.data.tables.data_frames import read_frame
from remi_tf.data.tables.layouts import Columns
from remi_tf.errors import InputError
from tests.raw_logs import LAYOUT, rows_of


def test_whole_numbers_in_float_columns_lose_their_point_zero():
    frame = pd.DataFrame({"user": [1.0, None, 3.0], "item": ["a", "b", "c"]})
    log = read_frame(frame, Columns("user", "item"), on_bad_row="skip")
    assert rows_of(log) == [("1", "a", None), ("3", "c", None)] and log.dropped == {"empty id": 1}
    mixed = pd.DataFrame({"user": [1, "x", 2.0], "item": [1, 2, 3]})
    assert log.user_ids.to_pylist() == ["1", "3"]
    assert read_frame(mixed, Columns("user", "item")).user_ids.to_pylist() == ["1", "x", "2"]


def test_frame_times_of_any_resolution(tmp_path):
    for unit in ("s", "ms", "us", "ns"):
        moments = pd.to_datetime(["2001-01-01", "2001-01-02"]).astype(f"datetime64[{unit}]")
        log = read_frame(pd.DataFrame({"user": ["a", "b"], "item": ["c", "d"], "time": moments}), LAYOUT.columns)
        assert log.seconds(log.times).tolist() == [978307200, 978393600]
    frame = pd.DataFrame({"user": ["a"], "item": ["c"], "time": [-3]})
    with pytest.raises(InputError, match="the frame row 0: time '-3' is negative"):
        read_frame(frame, LAYOUT.columns)
