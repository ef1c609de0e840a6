"""Rows one by one: records, times, ids, and what happens to a bad one."""

from itertools import product

import numpy as np
import pytest

import remi_tf.data.tables.rows as row_rules
from remi_tf.data.tables.rows import (
    BadRow,
    BadRows,
    bad_times,
    check_time,
    check_utf8,
    date,
    parse_most,
    parse_time,
    split_records,
)
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


def test_a_row_over_several_lines_is_named_by_its_first():
    data = b'a,b\n\n"c\nd",e\r\nf,"g""h"\n'
    assert [(record.line, record.lines, record.fields) for record in split_records(data, 10, ",", "csv")] == [
        (10, 1, ["a", "b"]),
        (12, 2, ["c\nd", "e"]),
        (14, 1, ["f", 'g"h']),
    ]
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
    for unit, time in product(("auto", "s", "iso", "%Y", None), (b"\xff\xfe5", b"2001\xff")):
        with pytest.raises(InputError, match=r"^log\.csv line 2: time .* is not a"):
            read_text(tmp_path, HEAD.encode() + b"a,b," + time + b"\n", time_unit=unit)


@pytest.mark.parametrize("digits", [400, 5000])
@pytest.mark.parametrize("unit", ["s", "none", "iso"])
def test_a_time_of_very_many_digits_is_a_bad_row(tmp_path, digits, unit):
    text = HEAD + "a,b,1\n" * 10 + f"a,b,{'9' * digits}\n"
    with pytest.raises(InputError, match=r"^log\.csv line 12: time '9+'… of \d"):
        read_text(tmp_path, text.replace(",1\n", ",2001-01-01\n") if unit == "iso" else text, time_unit=unit)


def test_a_lone_surrogate_is_not_text():
    assert check_utf8("é😀", "item") == "é😀"
    for text in ("\udcff", "\ud800", "a\udfff"):
        with pytest.raises(BadRow, match=r"^item .* is not UTF-8"):
            check_utf8(text, "item")


def test_a_log_of_which_most_is_bad_is_refused_early(tmp_path, monkeypatch):
    monkeypatch.setattr(row_rules, "FEW_ROWS", 1000)
    text = HEAD + "a,b,1\n" * 400 + "a,b\n" * 300 + "a,b,1\n" * 400 + "a,b\n" * 5000
    with pytest.raises(
        InputError, match=r"801 of the first 1,601 rows are bad, more than --max_bad_rows 0\.5 .*columns"
    ):
        read_text(tmp_path, text, time_unit="s", on_bad_row="skip")
    assert len(read_text(tmp_path, text, time_unit="s", on_bad_row="skip", max_bad_rows=1.0)) == 800
    with pytest.raises(
        InputError, match=r"^log\.csv line 411: 10 of the first 410 rows are bad, more than .* 9 allows"
    ):
        read_text(tmp_path, text, time_unit="s", on_bad_row="skip", max_bad_rows=9)


def test_how_many_bad_rows_are_too_many_is_a_number_or_a_share():
    assert parse_most("0.5") == 0.5 and parse_most("500") == 500 and isinstance(parse_most("1"), int)
    for wrong in ("-1", "1.5", "half", "nan"):
        with pytest.raises(InputError, match=f"--max_bad_rows {wrong}: give a number of rows"):
            parse_most(wrong)
