"""Raw files → log: every form a log comes in, and what is said about a row that cannot be used."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import remi_tf.data.tables.streams as streams
from remi_tf.data.tables.layouts import Columns, Layout
from remi_tf.data.tables.rawlog import RawLog
from remi_tf.data.tables.reading import read_frame, read_log
from remi_tf.data.tables.sources import SOURCES
from remi_tf.errors import InputError

LAYOUT = Layout(Columns("user", "item", "time"))
HEAD = "user,item,time\n"


def rows_of(log: RawLog) -> list[tuple]:
    """(user, item, time) as raw values, in file order."""
    times = [None] * len(log) if log.times is None else log.times.tolist()
    users, items = log.user_ids.to_pylist(), log.item_ids.to_pylist()
    return [(users[u], items[i], t) for u, i, t in zip(log.users, log.items, times, strict=True)]


def read_text(tmp_path: Path, text: str | bytes, name: str = "log.csv", layout=LAYOUT, **options) -> RawLog:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_log([path], layout, **options)


@pytest.mark.parametrize("separator", [",", "\t", ";", "|", "::"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separators_line_ends_bom_blank_lines_and_column_order(tmp_path, separator, end):
    lines = [["time", "x", "item", "user"], ["5", "", "007", "a"], [], ["6", "q", "7", "b"]]
    text = "\ufeff" + end.join(separator.join(line) for line in lines)
    assert rows_of(read_text(tmp_path, text, "log.txt")) == [("a", "007", 5), ("b", "7", 6)]


def test_quoted_fields_may_hold_separators_quotes_and_line_breaks(tmp_path):
    text = 'user,item,time,title\n"a,b","i ""1""",5,"two\nlines"\nc,d,x,e\n'
    layout = Layout(Columns("user", "item", "time", title="title"))
    with pytest.raises(InputError, match="line 4: time 'x' is not a number"):
        read_text(tmp_path, text, layout=layout)
    log = read_text(tmp_path, text, layout=layout, on_bad_row="skip")
    assert rows_of(log) == [("a,b", 'i "1"', 5)] and log.titles == {'i "1"': "two\nlines"}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("u,i,abc", "time 'abc' is not a number"),
        ("u,i,", "time '' is not a number"),
        ("u,i", "2 columns where 3 are expected"),
        ("u,i,5,6", "4 columns where 3 are expected"),
        (",i,5", "user is empty"),
        ("u, ,5", "item is empty"),
        ("u,i,-5", "time '-5' is negative"),
        ("u,i,nan", "time 'nan' is not a finite number"),
        ("u,i,inf", "time 'inf' is not a finite number"),
        ("u,i,1506826828020", "time '1506826828020', read in s, lies in the year 49,7.. .*--time_unit ms"),
        ("u,i\udcff,5", "item b'i\\\\xff' is not UTF-8"),
        ("u\ri,i,5", "user 'u\\\\ri' holds a line break"),
        ('"u,i,5', "1 column where 3 are expected"),
    ],
)
def test_a_bad_row_stops_with_file_line_and_value_or_is_skipped_and_counted(tmp_path, bad, message):
    # 533 physical lines before it, over several blocks and with a blank line
    text = HEAD + "\n" + "".join(f"u{k},i,{k}\n" for k in range(530)) + bad + "\nlast,i,9\n"
    data = text.encode("utf-8", "surrogateescape")
    with pytest.raises(InputError, match=rf"^log\.csv line 533: {message}.*; mend it or add --on_bad_row skip$"):
        read_text(tmp_path, data, time_unit="s")
    log = read_text(tmp_path, data, time_unit="s", on_bad_row="skip")
    assert len(log) == 531 and rows_of(log)[-1] == ("last", "i", 9)
    assert sum(log.dropped.values()) == 1


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


def test_missing_column_lists_the_columns_and_suggests_one(tmp_path):
    with pytest.raises(
        InputError, match=r"no column 'item'; there are 'user', 'items', 'time'; did you mean 'items'\?"
    ):
        read_text(tmp_path, "user,items,time\na,b,1\n")


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


def make_archive(path: Path, files: dict[str, str]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return path
    with tarfile.open(path, f"w:{path.suffix[1:]}") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize("name", ["log.zip", "log.tar.xz", "log.tar.gz", "log.tar.bz2"])
def test_archive_members_are_read_in_order_of_their_names(tmp_path, name):
    files = {"d/part_2.csv": HEAD + "c,d,2\n", "d/part_1.csv": HEAD + "a,b,1\n", "d/notes.md": "?", "d/.hid.csv": "?"}
    path = make_archive(tmp_path / name, files)
    assert rows_of(read_log([path], LAYOUT)) == [("a", "b", 1), ("c", "d", 2)]
    path = make_archive(tmp_path / name, files | {"d/part_2.csv": HEAD + "c,d,x\n"})
    with pytest.raises(InputError, match=rf"{name}:d/part_2\.csv line 2"):
        read_log([path], LAYOUT)


def test_several_files_are_one_log(tmp_path):
    for number in (1, 2):
        (tmp_path / f"{number}.csv").write_text(HEAD + f"a,b,{number}\n")
    log = read_log([tmp_path / "2.csv", tmp_path / "1.csv"], LAYOUT)
    assert rows_of(log) == [("a", "b", 2), ("a", "b", 1)] and len(log.user_ids) == 1


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


def test_columns_by_index_without_header(tmp_path):
    layout = Layout(Columns("2", "0", "1"), header=False)
    assert rows_of(read_text(tmp_path, "i,5,u\n", layout=layout)) == [("u", "i", 5)]
    with pytest.raises(InputError, match="line 1: column 1 'x'"):
        read_text(tmp_path, "i,x,u\n", layout=layout, time_unit="s")
    with pytest.raises(InputError, match="no column 3; there are 3"):
        read_text(tmp_path, "i,x,u\n", layout=Layout(Columns("3", "0"), header=False))


def test_parquet_frames_and_json_give_the_same_log_as_csv(tmp_path):
    frame = pd.DataFrame({"user": [12, 13, 12], "item": ["01", "1", "01"], "time": [1e9, 1.1e9, 1.2e9], "z": [1, 2, 3]})
    frame.to_parquet(tmp_path / "log.parquet")
    frame.to_csv(tmp_path / "log.csv", index=False)
    frame.to_json(tmp_path / "log.jsonl", orient="records", lines=True)
    expected = [("12", "01", 1e9), ("13", "1", 1.1e9), ("12", "01", 1.2e9)]
    assert rows_of(read_frame(frame, LAYOUT.columns)) == expected
    for name in ("log.parquet", "log.csv", "log.jsonl"):
        assert rows_of(read_log([tmp_path / name], LAYOUT)) == expected


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


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"user": "u", "item": "i"}', "there is no 'time' in the object"),
        ('{"user": "u", "item": "", "time": 5}', "item is empty"),
        ('{"user": "u", "item": "i", "time": "x"}', "time 'x' is not a number"),
        ('{"user": ["u"], "item": "i", "time": 5}', "user .'u'. is neither text nor a number"),
        ('{"user": "u"', "is not a JSON object"),
        ("[1]", "is not a JSON object"),
    ],
)
def test_bad_json_lines_are_named_or_skipped(tmp_path, line, message):
    good = '{"time": 5, "user": "u", "item": 7, "more": [1, {"a": 2}]}\n'
    with pytest.raises(InputError, match=rf"log\.json line 4: .*{message}"):
        read_text(tmp_path, good + "\n" + good + line + "\n" + good, "log.json", time_unit="s")
    log = read_text(tmp_path, good + line + "\n" + good, "log.json", time_unit="s", on_bad_row="skip")
    assert rows_of(log) == [("u", "7", 5)] * 2 and sum(log.dropped.values()) == 1


EVENTS = "timestamp,visitorid,event,itemid,transactionid\n"
NAMED = [
    (
        "book",
        "reviews_Books_5.json",
        '{"reviewerID": "A1", "asin": "0001", "overall": 5.0, "unixReviewTime": 1390000000}\n',
        ("A1", "0001", 1390000000),
    ),
    ("book", "ratings_Books.csv", "A1,0001,5.0,1390000000\n", ("A1", "0001", 1390000000)),
    (
        "gowalla",
        "loc-gowalla_totalCheckins.txt",
        "0\t2010-10-19T23:55:27Z\t30.2\t-97.7\t22847\n",
        ("0", "22847", 1287532527),
    ),
    ("gowalla", "Gowalla_checkins.txt", "0\t2049\t1287503727.0\n", ("0", "2049", 1287503727)),
    (
        "gowalla",
        "gowalla.inter",
        "item_id:token\tuser_id:token\ttimestamp:float\n9\t0\t1287503727.0\n",
        ("0", "9", 1287503727),
    ),
    (
        "rocket",
        "events.csv",
        EVENTS + "1433221332117,2,view,3,\n1433221332118,2,addtocart,4,\n",
        ("2", "3", 1433221332),
    ),
    (
        "rocket",
        "view.inter",
        "timestamp:float\tvisitor_id:token\titem_id:token\n1433221332117\t2\t3\n",
        ("2", "3", 1433221332),
    ),
    ("taobao", "UserBehavior.csv", "1,22,333,pv,1511544070\n1,23,333,buy,1511544071\n", ("1", "22", 1511544070)),
    ("ml-100k", "u.data", "196\t242\t3\t881250949\n", ("196", "242", 881250949)),
    ("ml-1m", "ratings.dat", "1::1193::5::978300760\n", ("1", "1193", 978300760)),
]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("source", "name", "text", "expected"), NAMED)
def test_named_sources_read_their_raw_files(tmp_path, source, name, text, expected, packed):
    data = gzip.compress(text.encode()) if packed else text.encode()
    log = read_text(tmp_path, data, name + ".gz" * packed, layout=SOURCES[source])
    assert [(user, item) for user, item, _ in rows_of(log)] == [expected[:2]]
    assert log.seconds(log.times).tolist() == [expected[2]]
    assert log.dropped == ({"rows of other events": 1} if name in ("events.csv", "UserBehavior.csv") else {})


@pytest.mark.parametrize("source", SOURCES)
def test_named_sources_refuse_another_file(tmp_path, source):
    with pytest.raises(InputError, match=r"x\.csv"):
        read_text(tmp_path, "only one column\n", "x.csv", layout=SOURCES[source])


def test_user_and_item_order_counts_only_the_rows_that_are_kept(tmp_path):
    text = EVENTS + "1433221332117,9,buy,8,\n1433221332117,2,view,3,\n1433221332117,9,view,8,\n"
    log = read_text(tmp_path, text, "events.csv", layout=SOURCES["rocket"])
    assert log.user_ids.to_pylist() == ["2", "9"] and log.users.tolist() == [0, 1]
