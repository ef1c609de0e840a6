"""Bytes of a log: compressed, archived, cut into blocks, broken off."""

import bz2
import gzip
import lzma

import pytest

import remi_tf.data.tables.streams as streams
from remi_tf.data.tables.reading import read_log
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, LAYOUT, make_archive, read_text, rows_of


def test_line_numbers_and_rows_are_exact_over_many_small_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "BLOCK_BYTES", 100)
    lines = [f"u{k % 7},i{k},{k}" if k % 50 else f"u,i,bad{k}" for k in range(1, 400)]
    log = read_text(tmp_path, HEAD + "\n".join(lines), time_unit="s", on_bad_row="skip")
    assert [row[2] for row in rows_of(log)] == [k for k in range(1, 400) if k % 50]
    assert log.dropped == {"bad rows: time is not a number": 7}
    assert log.notes[0] == "skipped log.csv line 51: time 'bad50' is not a number"


def test_a_quoted_line_break_across_blocks_is_one_row(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "BLOCK_BYTES", 64)
    text = "user,item,time,note\n" + "".join(f'u{k},i,{k},"a\nb, c"\n' for k in range(100))
    assert rows_of(read_text(tmp_path, text, time_unit="s")) == [(f"u{k}", "i", k) for k in range(100)]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "log.csv", "the file is empty"),
        (b"\n\n", "log.csv", "nothing but blank lines"),
        (b"PK\x03\x04\0\0", "log.zip", "not a readable archive"),
        (b"user,item", "log.csv.gz", "not a gz file"),
        (b"\x89PNG\0\0\0", "log.csv", "not a text table"),
        (b"PAR1 no", "log.parquet", "not a readable Parquet file"),
        ("user".encode("utf-16"), "log.csv", "UTF-16"),
    ],
)
def test_files_of_the_wrong_kind_are_named(tmp_path, content, name, message):
    with pytest.raises(InputError, match=message):
        read_text(tmp_path, content, name)


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.csv: no such file"):
        read_log([tmp_path / "nowhere.csv"], LAYOUT)
    with pytest.raises(InputError, match="is a folder"):
        read_log([tmp_path], LAYOUT)


def test_a_truncated_gzip_stops_or_keeps_what_could_be_read(tmp_path):
    packed = gzip.compress((HEAD + "".join(f"u{k},i{k},{k}\n" for k in range(50_000))).encode())[:-20_000]
    with pytest.raises(InputError, match=r"log\.csv\.gz: the file ends early, after line \d+ .*--on_bad_row skip"):
        read_text(tmp_path, packed, "log.csv.gz")
    log = read_text(tmp_path, packed, "log.csv.gz", on_bad_row="skip")
    assert rows_of(log) == [(f"u{k}", f"i{k}", k) for k in range(len(log))] and len(log) > 10_000
    assert log.dropped == {"bad rows: truncated file": 1}


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressions_are_told_by_content(tmp_path, compress):
    suffix = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz"}[compress]
    assert rows_of(read_text(tmp_path, compress(b"user,item,time\na,b,1\n"), f"log.csv.{suffix}")) == [("a", "b", 1)]


@pytest.mark.parametrize("name", ["log.zip", "log.tar.xz", "log.tar.gz", "log.tar.bz2"])
def test_archive_members_are_read_in_order_of_their_names(tmp_path, name):
    files = {"d/part_2.csv": HEAD + "c,d,2\n", "d/part_1.csv": HEAD + "a,b,1\n", "d/notes.md": "?", "d/.hid.csv": "?"}
    path = make_archive(tmp_path / name, files)
    assert rows_of(read_log([path], LAYOUT)) == [("a", "b", 1), ("c", "d", 2)]
    path = make_archive(tmp_path / name, files | {"d/part_2.csv": HEAD + "c,d,x\n"})
    with pytest.raises(InputError, match=rf"{name}:d/part_2\.csv line 2"):
        read_log([path], LAYOUT)
