"""Dates as text: every form that is not ambiguous is read, the others are refused with their format."""

import json
from datetime import datetime, timedelta, timezone

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remi_tf.data.tables.data_frames import read_frame
from remi_tf.data.tables.dates import check_format, parse_compact, parse_iso, written_times
from remi_tf.data.tables.raw_log import encode
from remi_tf.data.tables.reading import read_log, stream_log
from remi_tf.data.tables.rows import BadRows
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, LAYOUT, read_text

NOON = 1_600_000_000  # 2020-09-13 12:26:40 UTC


@pytest.mark.parametrize(
    "text",
    [
        *("2020-09-13T12:26:40Z", "2020-09-13 12:26:40 UTC", "2020-09-13 12:26:40 GMT", "2020-09-13 12:26:40"),
        *(
            "2020-09-13 12:26:40 +00:00",
            "2020-09-13 12:26:40+0000",
            "2020-09-13T14:26:40+02",
            "2020-09-13T14:26:40+02:00",
        ),
        *("2020-09-13 06:56:40 -0530", "2020/09/13 12:26:40", "2020/9/13 12:26:40", "20200913T122640Z"),
        *("20200913T122640", "2020-9-13 12:26:40", "2020-09-13 12:26:40.000000000", "2020-09-13 12:26:40.0000000Z"),
        *("2020-09-13 12:26:40,000", "2020-09-13 12:26:40 +0000 UTC", " 2020-09-13t12:26:40z ", "20200913T142640+0200"),
    ],
)
def test_forms_of_one_moment(tmp_path, text):
    assert parse_iso(text) == NOON * 10**6
    csv = read_text(tmp_path, HEAD + f'a,b,"{text}"\n')
    frame = pd.DataFrame({"user": ["a"], "item": ["b"], "time": [text]})
    frame.to_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text(json.dumps({"user": "a", "item": "b", "time": text}) + "\n")
    files = [tmp_path / "a.parquet", tmp_path / "a.jsonl"]
    for log in (csv, read_frame(frame, LAYOUT.columns), *(read_log([file], LAYOUT) for file in files)):
        assert log.unit == "iso" and log.seconds(log.times).tolist() == [NOON]
    for file in files:
        ((chunk, unit),) = stream_log([file], LAYOUT, bad=BadRows())
        assert unit == "iso" and chunk.times.tolist() == [NOON * 10**6]


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "2020-13-01", "2020-02-30", "2020-09-13 25:00", "2020-09-13 12:60", "2020-09/13", "13.09.2020"),
        *(
            "09/13/2020",
            "2020-09-13 12:26:40.1234567890",
            "2020-09-13 12:26:40 CEST",
            "12:26",
            "2020-0-1",
            "２０２０-01-01",
        ),
    ],
)
def test_what_is_no_date_is_none(text):
    assert parse_iso(text) is None


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 30)),
    st.sampled_from(["T", " "]),
    st.integers(0, 9),
    st.sampled_from(["", "Z", " UTC", "+05:30", " -0800", "+01"]),
)
def test_a_date_is_read_as_python_has_it(moment, mark, digits, zone):
    nanoseconds = f"{moment.microsecond:06d}000"[:digits]
    text = moment.strftime(f"%Y-%m-%d{mark}%H:%M:%S") + (f".{nanoseconds}" if digits else "") + zone
    hours = {"+05:30": 5.5, " -0800": -8, "+01": 1}.get(zone, 0)
    micros = int(nanoseconds[:6].ljust(6, "0")) if digits else 0
    expected = moment.replace(microsecond=micros, tzinfo=timezone.utc) - timedelta(hours=hours)
    assert parse_iso(text) == (expected - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "proposed"),
    [
        ("09/13/2020 12:26:40 PM", "%m/%d/%Y %I:%M:%S %p"),
        ("13.09.2020 12:26", "%d.%m.%Y %H:%M"),
        ("Sun Sep 13 12:26:40 +0000 2020", "%a %b %d %H:%M:%S %z %Y"),
        ("04/05/2020", '%m/%d/%Y", or "%d/%m/%Y" if the day comes first'),
        ("2020 week 3", "%m/%d/%Y %I:%M:%S %p"),
    ],
)
def test_ambiguous_dates_are_refused_with_the_format_to_give(tmp_path, text, proposed):
    with pytest.raises(InputError) as error:
        read_text(tmp_path, HEAD + f"a,b,{text}\n")
    assert "log.csv line 2" in str(error.value) and "is not an ISO date" in str(error.value)
    assert "--time_format" in str(error.value) and proposed in str(error.value)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("09/13/2020 12:26:40 PM", "%m/%d/%Y %I:%M:%S %p"),
        ("13.09.2020 12:26:40", "%d.%m.%Y %H:%M:%S"),
        ("Sun Sep 13 14:26:40 +0200 2020", "%a %b %d %H:%M:%S %z %Y"),
    ],
)
def test_a_format_reads_them_in_every_form_of_file(tmp_path, text, form):
    frame = pd.DataFrame({"user": ["a"], "item": ["b"], "time": [text]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    logs = [read_log([path], LAYOUT, time_unit=form) for path in sorted(tmp_path.iterdir())]
    for log in [*logs, read_frame(frame, LAYOUT.columns, time_unit=form)]:
        assert log.unit == "iso" and log.seconds(log.times).tolist() == [NOON]
    with pytest.raises(InputError, match=r"log\.csv line 2: time 'x' is not a date of the form"):
        read_text(tmp_path, HEAD + "a,b,x\n", time_unit=form)


@pytest.mark.parametrize("form", ["%H:%M", "%Q %Y", "%Y %Y", "2020"])
def test_a_format_that_cannot_be_one_is_refused(form):
    with pytest.raises(InputError, match="--time_format"):
        check_format(form)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20200913", 1_599_955_200), ("2020091312", 1_599_998_400), ("202009131226", NOON - 40), ("20200913122640", NOON)],
)
def test_dates_of_digits_only_are_told_by_the_whole_column(tmp_path, text, seconds):
    log = read_text(tmp_path, HEAD + f"a,b,{text}\na,c,{text}\n")
    assert log.unit == "iso" and log.seconds(log.times).tolist() == [seconds] * 2
    frame = pd.DataFrame({"user": ["a"], "item": ["b"], "time": [int(text)]})
    frame.to_parquet(tmp_path / "a.parquet")
    for typed in (read_frame(frame, LAYOUT.columns), read_log([tmp_path / "a.parquet"], LAYOUT)):
        assert typed.seconds(typed.times).tolist() == [seconds]
    many = HEAD + f"a,b,{text}\n" * 30 + f"a,b,{text[:4]}9999{text[8:]}\n"
    with pytest.raises(InputError, match=r"log\.csv line 32: time '.*' is not a date of the form YYYY"):
        read_text(tmp_path, many)


def test_numbers_that_are_not_all_dates_are_none(tmp_path):
    assert read_text(tmp_path, HEAD + "a,b,20201331\na,b,20990000\n").unit == "none"
    assert read_text(tmp_path, HEAD + "a,b,1600000000\na,b,1600000001\n").unit == "s"
    assert parse_compact("20200931", "YYYYMMDD") is None


def test_a_column_with_one_bad_date_is_read_one_by_one():
    assert written_times(encode(["2020-09-13", "x"]), "iso") is None
    assert written_times(encode(["1970-01-02 UTC", "1970-01-01"]), "iso") is None  # a zone needs a time of day
    assert written_times(encode(["1970/1/2", "1970-01-01"]), "iso").tolist() == [86_400 * 10**6, 0]
