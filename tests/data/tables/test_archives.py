"""Files and archives of a log: compressed, packed in every way, damaged, empty."""

import bz2
import gzip
import lzma
import zipfile

import pyarrow as pa
import pytest

from remi_tf.data.tables.item_tables import ItemColumns, add_item_table
from remi_tf.data.tables.reading import read_log
from remi_tf.data.tables.rows import BadRows
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, LAYOUT, make_archive, read_text, rows_of

TEXT = HEAD + "a,b,1\n"


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.csv: no such file"):
        read_log([tmp_path / "nowhere.csv"], LAYOUT)
    with pytest.raises(InputError, match="is a folder"):
        read_log([tmp_path], LAYOUT)


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


def zstd(data: bytes) -> bytes:
    return pa.compress(data, "zstd", asbytes=True)


def test_zstandard_is_read(tmp_path):
    assert rows_of(read_text(tmp_path, zstd(TEXT.encode()), "log.csv.zst")) == [("a", "b", 1)]
    many = zstd((HEAD + "".join(f"u{k},i{k},{k}\n" for k in range(50_000))).encode())
    assert len(read_text(tmp_path, many, "log.csv.zst")) == 50_000
    for damaged in (many[: len(many) // 2], many[:4] + bytes(40)):
        with pytest.raises(InputError, match=r"^log\.csv\.zst: .*fetch it again"):
            read_text(tmp_path, damaged, "log.csv.zst")


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"7z\xbc\xaf\x27\x1c\0", "a 7z archive; unpack it first and name the files in it"),
        (b"Rar!\x1a\x07\x01\0", "a rar archive; unpack it first"),
        (b"\x04\x22\x4d\x18\0", "compressed with lz4; unpack it first"),
        (b"PK\x03\x04\0\0", "an Excel workbook; .*save a workbook as CSV"),
        (b"ARROW1\0\0", "an Arrow .* file; save it as Parquet"),
        (b"SQLite format 3\0", "an SQLite database; export the table as CSV"),
    ],
)
def test_a_file_of_another_form_is_named_with_what_to_do(tmp_path, start, what):
    for name in ("log.csv", "log.csv.7z", "log.parquet", "log.jsonl"):
        with pytest.raises(InputError, match=f"^{name}: .*{what}"):
            read_text(tmp_path, start + bytes(100), name)


def patched_zip(path, mark: bytes, offset: int, value: int, central: int):
    """An archive of one file; a byte behind each header's mark is changed."""
    make_archive(path, {"log.csv": TEXT})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x03\x04") + offset] = value
    data[data.index(b"PK\x01\x02") + central] = value
    path.write_bytes(data)
    return path


def test_a_zip_that_python_cannot_unpack_says_so(tmp_path):
    with pytest.raises(InputError, match=r"log\.zip: log\.csv is packed with Deflate64, .*; unpack it first"):
        read_log([patched_zip(tmp_path / "log.zip", b"PK", 8, 9, 10)], LAYOUT, on_bad_row="skip")
    with pytest.raises(InputError, match=r"log\.zip: log\.csv is locked with a password; unpack it first"):
        read_log([patched_zip(tmp_path / "log.zip", b"PK", 6, 1, 8)], LAYOUT, on_bad_row="skip")


def test_no_damage_to_an_archive_ends_in_a_traceback(tmp_path):
    path = make_archive(tmp_path / "log.zip", {"1.csv": TEXT, "2.csv": HEAD + "c,d,2\n" * 50})
    data = path.read_bytes()
    for position in range(len(data)):
        for policy in ("stop", "skip"):
            path.write_bytes(data[:position] + bytes([data[position] ^ 0x55]) + data[position + 1 :])
            try:
                read_log([path], LAYOUT, on_bad_row=policy, time_unit="s")
            except InputError as error:
                assert "\n" not in str(error)
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match=r"log\.zip"):
            read_log([path], LAYOUT)


def test_a_table_that_is_cut_off_is_named_or_read_as_far_as_it_goes(tmp_path):
    log = read_text(tmp_path, HEAD + "a,i1,1\n")
    rows = "".join(f"i{k},title {k * 7919}\n" for k in range(20_000))
    for packed in (gzip.compress(f"item,title\n{rows}".encode())[:-20_000], gzip.compress(b"item,title\ni1,x\n")[:-9]):
        (tmp_path / "items.csv.gz").write_bytes(packed)
        with pytest.raises(InputError, match=r"^items\.csv\.gz: .*fetch it again"):
            add_item_table(log, tmp_path / "items.csv.gz", ItemColumns(), "item", None, BadRows())
    bad = BadRows("skip")
    (tmp_path / "items.csv.gz").write_bytes(gzip.compress(f"item,title\n{rows}".encode())[:-20_000])
    add_item_table(log, tmp_path / "items.csv.gz", ItemColumns(), "item", None, bad)
    assert log.titles == {"i1": "title 7919"} and bad.counts == {"truncated file": 1}


def test_a_zip_of_very_many_small_files_is_read_quickly(tmp_path):
    """Each member costs its own few bytes: no buffer of megabytes, no parser started for a line."""
    with zipfile.ZipFile(tmp_path / "log.zip", "w") as archive:
        for k in range(2_000):
            archive.writestr(f"{k:05d}.csv", f"{HEAD}u{k % 9},i,{k}\n")
    assert rows_of(read_log([tmp_path / "log.zip"], LAYOUT)) == [(f"u{k % 9}", "i", k) for k in range(2_000)]
