"""Bytes of a log: compressed, archived, cut into blocks, broken off."""

import gzip

import pytest

import remi_tf.data.tables.streams as streams
from remi_tf.data.tables.layouts import Columns, Layout, TextForm
from remi_tf.data.tables.streams import check_encoding
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, read_text, rows_of


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
        (b"\n\n", "log.csv", "the file is empty"),
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


def test_a_truncated_gzip_stops_or_keeps_what_could_be_read(tmp_path):
    packed = gzip.compress((HEAD + "".join(f"u{k},i{k},{k}\n" for k in range(50_000))).encode())[:-20_000]
    with pytest.raises(InputError, match=r"log\.csv\.gz: the file ends early, after line \d+ .*--on_bad_row skip"):
        read_text(tmp_path, packed, "log.csv.gz")
    log = read_text(tmp_path, packed, "log.csv.gz", on_bad_row="skip")
    assert rows_of(log) == [(f"u{k}", f"i{k}", k) for k in range(len(log))] and len(log) > 10_000
    assert log.dropped == {"bad rows: truncated file": 1}


@pytest.mark.parametrize(
    ("encoding", "name"), [("latin-1", "Café"), ("cp1252", "50 €"), ("gbk", "书"), ("utf-16", "é😀")]
)
def test_text_of_another_encoding_is_read_if_it_is_named(tmp_path, monkeypatch, encoding, name):
    monkeypatch.setattr(streams, "READ_BYTES", 7)  # a character may lie over two reads
    rows = [(name, f"{name} {k}", k) for k in range(99)]
    for file, text in (
        ("log.csv", HEAD + "".join(f"{user},{item},{time}\n" for user, item, time in rows)),
        ("log.jsonl", "".join(f'{{"user": "{u}", "item": "{i}", "time": {t}}}\n' for u, i, t in rows)),
        ("log.json", "[" + ",".join(f'{{"user": "{u}", "item": "{i}", "time": {t}}}' for u, i, t in rows) + "]"),
    ):
        data = text.encode(encoding)
        assert rows_of(read_text(tmp_path, data, file, form=TextForm(encoding=encoding), time_unit="s")) == rows
        with pytest.raises(
            InputError, match="UTF-16 text; give --encoding" if encoding == "utf-16" else "is not UTF-8"
        ):
            read_text(tmp_path, data, file, time_unit="s")


def test_an_encoding_that_is_none_is_named():
    assert check_encoding("UTF8") == "utf-8" and check_encoding("Latin1") == "iso8859-1"
    for wrong in ("klingon", "hex", ""):
        with pytest.raises(InputError, match=f"--encoding {wrong!r}: not known; give one such as"):
            check_encoding(wrong)


def test_bytes_that_are_no_text_of_the_encoding_are_told(tmp_path):
    with pytest.raises(InputError, match=r"log\.csv.*(not UTF-8|not text of this --encoding)"):
        read_text(tmp_path, HEAD.encode() + b"a,\x81\xff,5\n", form=TextForm(encoding="gbk"), time_unit="s")
    with pytest.raises(InputError, match=r"log\.csv"):
        read_text(tmp_path, HEAD.encode("utf-16") + b"\x00\xd8x", form=TextForm(encoding="utf-16"), time_unit="s")


def test_bytes_that_are_not_utf8_in_a_title_are_a_bad_row_and_elsewhere_do_no_harm(tmp_path):
    data = b"user,item,time,title\na,b,5,Caf\xe9\n"
    assert len(read_text(tmp_path, data)) == 1
    with pytest.raises(InputError, match=r"line 2: title b'Caf\\xe9' is not UTF-8 \(.*--encoding\)"):
        read_text(tmp_path, data, layout=Layout(Columns("user", "item", "time", title="title")))
