"""Logs with one row a user."""

import json

import pandas as pd
import pytest

from remi_tf.data.tables.data_frames import read_frame
from remi_tf.data.tables.layouts import Columns, Layout
from remi_tf.data.tables.reading import read_log
from remi_tf.errors import InputError
from tests.raw_logs import read_text, rows_of

LAYOUT = Layout(Columns("user", "items", "times"), form="sequence")
ROWS = [("u1", "103", 1600000000), ("u1", "104", 1600000001), ("u2", "103", 1600000002)]


@pytest.mark.parametrize(
    ("items", "times"),
    [
        ("103 104", "1600000000 1600000001"),
        ("103|104", "1600000000|1600000001"),
        ("[103, 104]", "[1600000000, 1600000001]"),
        ("['103', '104']", "[1600000000 1600000001]"),
        ('["103", 104.0]', "['2020-09-13T12:26:40Z', '2020-09-13 12:26:41 UTC']"),
    ],
)
def test_a_history_in_one_field_is_read_as_its_rows(tmp_path, items, times):
    text = f"user\titems\ttimes\nu1\t{items}\t{times}\nu2\t{items[: items.index('103') + 3]}\t1600000002\n"
    if items.startswith("["):
        second = "'2020-09-13T12:26:42Z'" if "T" in times else "1600000002"
        text = f"user\titems\ttimes\nu1\t{items}\t{times}\nu2\t['103']\t[{second}]\n"
    log = read_text(tmp_path, text, "log.tsv", layout=LAYOUT)
    users, found = zip(*[(user, item) for user, item, _ in rows_of(log)], strict=True)
    assert list(zip(users, found, log.seconds(log.times).tolist(), strict=True)) == ROWS


def test_lists_in_parquet_json_and_frames(tmp_path):
    frame = pd.DataFrame(
        {"user": ["u1", "u2"], "items": [[103.0, 104.0], [103.0]], "times": [[1600000000, 1600000001], [1600000002]]}
    )
    frame.to_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in frame.to_dict("records")))
    for log in (read_frame(frame, LAYOUT), *(read_log([path], LAYOUT) for path in sorted(tmp_path.iterdir()))):
        assert log.unit == "s" and rows_of(log) == ROWS
    untimed = read_frame(frame, Layout(Columns("user", "items"), form="sequence"))
    assert rows_of(untimed) == [(user, item, None) for user, item, _ in ROWS]


def test_times_of_another_number_are_named_by_row(tmp_path):
    text = "user,items,times\nu1,103 104,1600000000 1600000001\nu2,103 104,1600000000\n"
    with pytest.raises(InputError, match=r"log\.csv row 2: 1 times for a history of 2 items"):
        read_text(tmp_path, text, layout=LAYOUT)
    log = read_text(tmp_path, text, layout=LAYOUT, on_bad_row="skip")
    assert len(log) == 2 and log.dropped == {"bad rows: times and items differ in number": 1}


def test_a_user_without_history_has_no_row(tmp_path):
    log = read_text(tmp_path, "user,items,times\nu1,103,1600000000\nu2,,\nu3,[],[]\n", layout=LAYOUT)
    assert rows_of(log) == [("u1", "103", 1600000000)]
