"""Rows one by one: records, times, ids, and what happens to a bad one."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remi_tf.data.tables.rows import BadRow, BadRows, bad_times, check_time, date, parse_time, split_records
from remi_tf.data.tables.units import PER_SECOND
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, read_text


@pytest.mark.parametrize(
    ("times", "unit", "seconds"),
    [
        (["978300019", "978300020"], "s", 978300019),
        (["978300019.0", "978300020"], "s", 978300019),
        (["978300019999", "978300020000"], "ms", 978300019),
        (["978300019999999", "978300020000000"], "us", 978300019),
        (["2000-12-31T22:00:19Z", "2000-12-31T22:00:20Z"], "iso", 978300019),
        (["2000-12-31 22:00:19.5", "2000-12-31 22:00:20"], "iso", 978300019),
        (["2001-01-01", "2001-01-02"], "iso", 978307200),
        (["1", "2"], "none", None),
    ],
)
def test_the_unit_of_time_is_told_from_its_size(tmp_path, times, unit, seconds):
    log = read_text(tmp_path, HEAD + "".join(f"a,b,{time}\n" for time in times))
    assert log.unit == unit
    assert seconds is None or log.seconds(log.times)[0] == seconds
    assert any("guessed" in note for note in log.notes)


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=5),
            min_size=2,
            max_size=4,
        ),
        max_size=8,
    )
)
def test_what_a_csv_writer_writes_is_read_back_with_its_lines(rows):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    records = list(split_records(text.getvalue().encode(), 1, ",", quoting=True))
    assert [record.fields for record in records] == rows and all(record.closed for record in records)
    lines = [1 + sum(field.count("\n") for field in row) for row in rows]
    assert [(record.line, record.lines) for record in records] == list(
        zip([1 + sum(lines[:n]) for n in range(len(rows))], lines, strict=True)
    )


def test_a_quote_that_is_still_open_is_told():
    *whole, last = split_records(b'a,b\n"c,d\n', 10, ",", quoting=True)
    assert [record.closed for record in whole] == [True] and not last.closed and last.line == 11
    assert [record.fields for record in split_records(b'"c,d\n', 1, ",", quoting=False)] == [['"c', "d"]]


def test_bad_rows_stop_or_are_counted_and_a_few_are_shown():
    with pytest.raises(InputError, match=r"^log line 3: no time; mend it or add --on_bad_row skip$"):
        BadRows().add("log line 3", BadRow("no time", "no time"))
    bad = BadRows("skip")
    for line in range(10):
        bad.add(f"log line {line}", BadRow("no time", "no time"))
    bad.truncated("log", "the file ends early")
    assert bad.counts == {"no time": 10, "truncated file": 1}
    assert "log line 0: no time" in bad.examples and len(bad.examples) < 6


@pytest.mark.parametrize("unit", ["s", "ms", "us", "iso"])
def test_the_quick_check_of_many_times_agrees_with_the_check_of_each(unit):
    for value in (0, -1, 10**9, 4 * 10**9 * PER_SECOND[unit], 5 * 10**9 * PER_SECOND[unit], float("nan"), float("inf")):
        try:
            check_time(value, value, "time", unit)
            refused = False
        except BadRow:
            refused = True
        assert bad_times(np.array([5.0, value]), unit) == refused, value


def test_a_date_is_the_one_in_utc():
    assert parse_time("2001-01-01", "time", "iso") == 978_307_200 * 10**6
    assert parse_time("2001-01-01T01:00:00+01:00", "time", "iso") == 978_307_200 * 10**6
    assert date(978_307_200) == "2001-01-01" and date(978_307_199) == "2000-12-31"


@pytest.mark.parametrize("time", ["9" * 400, "9" * 5000, "1e400", "-" + "1" * 400, "1" * 5000 + ".5"])
@pytest.mark.parametrize("unit", ["s", "none", "iso", None, "%Y-%m-%d"])
def test_times_of_hundreds_of_digits_are_bad_rows(tmp_path, time, unit):
    text = HEAD + f"a,b,{time}\n"
    with pytest.raises(InputError, match=r"log\.csv line 2: time .{,200}"):
        read_text(tmp_path, text, time_unit=unit)
    log = read_text(tmp_path, text + "a,b,2020-09-13\n" * 3, on_bad_row="skip", time_unit=None if unit else "iso")
    assert len(log) == 3


def test_a_time_that_is_not_utf8_is_a_bad_row(tmp_path):
    for unit in ("auto", "s", "iso", "%Y"):
        with pytest.raises(InputError, match=r"log\.csv line 2: time .* is not a"):
            read_text(tmp_path, HEAD.encode() + b"a,b,\xff\xfe5\n", time_unit=unit)
