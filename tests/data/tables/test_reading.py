"""Files and frames → one log, whatever form it comes in."""

import gzip

import pandas as pd
import pytest

import remi_tf.data.tables.streams as streams
from remi_tf.data.tables.data_frames import read_frame
from remi_tf.data.tables.raw_log import assemble
from remi_tf.data.tables.reading import read_log, stream_log
from remi_tf.data.tables.rows import BadRows
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, LAYOUT, rows_of


def test_several_files_are_one_log(tmp_path):
    for number in (1, 2):
        (tmp_path / f"{number}.csv").write_text(HEAD + f"a,b,{number}\n")
    log = read_log([tmp_path / "2.csv", tmp_path / "1.csv"], LAYOUT)
    assert rows_of(log) == [("a", "b", 2), ("a", "b", 1)] and len(log.user_ids) == 1


def test_parquet_frames_and_json_give_the_same_log_as_csv(tmp_path):
    frame = pd.DataFrame({"user": [12, 13, 12], "item": ["01", "1", "01"], "time": [1e9, 1.1e9, 1.2e9], "z": [1, 2, 3]})
    frame.to_parquet(tmp_path / "log.parquet")
    frame.to_csv(tmp_path / "log.csv", index=False)
    frame.to_json(tmp_path / "log.jsonl", orient="records", lines=True)
    expected = [("12", "01", 1e9), ("13", "1", 1.1e9), ("12", "01", 1.2e9)]
    assert rows_of(read_frame(frame, LAYOUT.columns)) == expected
    for name in ("log.parquet", "log.csv", "log.jsonl"):
        assert rows_of(read_log([tmp_path / name], LAYOUT)) == expected


def test_a_log_in_pieces_is_the_log_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "BLOCK_BYTES", 64)
    path = tmp_path / "log.csv"
    path.write_text(HEAD + "".join(f"u{k % 3},i{k},{1_400_000_000 + k}\n" for k in range(50)))
    pieces = list(stream_log([path], LAYOUT, bad=BadRows()))
    assert len(pieces) > 1 and {unit for _, unit in pieces} == {"s"}
    assert rows_of(assemble([chunk for chunk, _ in pieces], "s")) == rows_of(read_log([path], LAYOUT))


@pytest.mark.parametrize("second", ["1400000001", "1400000001000000", "2014-05-13T16:53:21", "1400000001000000000"])
def test_files_with_times_in_different_units_become_one_log_and_the_summary_says_so(tmp_path, second):
    (tmp_path / "1.csv").write_text(HEAD + "a,b,1400000000500\n")
    (tmp_path / "2.csv").write_text(HEAD + f"a,b,{second}\n")
    log = read_log([tmp_path / "1.csv", tmp_path / "2.csv"], LAYOUT)
    assert log.unit == "ms" and log.times.tolist() == [1_400_000_000_500, 1_400_000_001_000]
    assert any(note.startswith("2.csv has its times in ") and "1.csv" in note for note in log.notes)


def test_order_numbers_and_times_are_not_one_log_unless_the_unit_is_given(tmp_path):
    (tmp_path / "1.csv").write_text(HEAD + "a,b,1400000000000\n")
    (tmp_path / "2.csv").write_text(HEAD + "a,b,5\n")
    files = [tmp_path / "1.csv", tmp_path / "2.csv"]
    with pytest.raises(
        InputError, match=r"2\.csv: its times look like order numbers, those of 1\.csv like milliseconds"
    ):
        read_log(files, LAYOUT)
    assert read_log(files, LAYOUT, time_unit="ms").times.tolist() == [1_400_000_000_000, 5]


def test_a_parquet_row_that_cannot_be_used_is_named(tmp_path):
    frame = pd.DataFrame({"user": ["a", None], "item": ["x", "y"], "time": [5, 6]})
    frame.to_parquet(tmp_path / "log.parquet")
    with pytest.raises(InputError, match=r"log\.parquet row 2: user is empty; mend it or add --on_bad_row skip"):
        read_log([tmp_path / "log.parquet"], LAYOUT)
    log = read_log([tmp_path / "log.parquet"], LAYOUT, on_bad_row="skip")
    assert [row[:2] for row in rows_of(log)] == [("a", "x")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("2.csv", b""),
        ("2.csv", b"\n\r\n"),
        ("2.csv", HEAD.encode()),
        ("2.jsonl", b""),
        ("2.csv.gz", b""),
        ("2.csv.gz", gzip.compress(b"", mtime=0)),
        ("2.csv.gz", gzip.compress(HEAD.encode(), mtime=0)),
        ("2.json", b"[]"),
        ("2.csv.zip", b""),
    ],
)
def test_an_empty_part_is_a_note_and_a_log_of_empty_parts_stops(tmp_path, name, content):
    for number in (1, 3):
        (tmp_path / f"{number}.csv").write_text(HEAD + f"a,b,{number}\n")
    (tmp_path / name).write_bytes(content)
    log = read_log([tmp_path / part for part in ("1.csv", name, "3.csv")], LAYOUT)
    assert rows_of(log) == [("a", "b", 1), ("a", "b", 3)] and f"1 of 3 files has no rows: {name}" in log.notes
    with pytest.raises(InputError, match=rf"^{name}: the file is empty, so the log has no rows"):
        read_log([tmp_path / name], LAYOUT, on_bad_row="skip")
    with pytest.raises(InputError, match=rf"^{name}, {name}: the files are empty, so the log has no rows"):
        read_log([tmp_path / name] * 2, LAYOUT)


def test_a_parquet_part_without_rows_is_a_note(tmp_path):
    frame = pd.DataFrame({"user": ["a"], "item": ["b"], "time": [5]})
    frame.to_parquet(tmp_path / "1.parquet")
    frame[:0].to_parquet(tmp_path / "2.parquet")
    log = read_log([tmp_path / "1.parquet", tmp_path / "2.parquet"], LAYOUT)
    assert rows_of(log) == [("a", "b", 5)] and "1 of 2 files has no rows: 2.parquet" in log.notes


def test_two_columns_of_one_name_are_refused_in_every_form(tmp_path):
    (tmp_path / "log.csv").write_text("user,item,time,item\na,b,1,c\n")
    with pytest.raises(InputError, match=r"log\.csv: 2 columns are called 'item'; rename all but one"):
        read_log([tmp_path / "log.csv"], LAYOUT)
    frame = pd.DataFrame([["a", "b", 1, "c"]], columns=["user", "item", "time", "item"])
    with pytest.raises(InputError, match="the frame: 2 columns are called 'item'"):
        read_frame(frame, LAYOUT.columns)
