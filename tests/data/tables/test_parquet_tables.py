"""Parquet: times of every type, and the sample that shows their unit."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from remi_tf.data.tables.reading import read_log
from remi_tf.errors import InputError
from tests.raw_logs import LAYOUT

DAY = 18_518  # 2020-09-13


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
