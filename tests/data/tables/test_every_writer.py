"""A property of all readers: a table written by any tool in any form reads to the same rows through every path.

Paths: the whole file at once, in small blocks, with a bad row in it (so that it is read row by row), and both.
"""

import csv
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import remi_tf.data.tables.json_tables as json_tables
import remi_tf.data.tables.streams as streams
import remi_tf.data.tables.text_tables as text_tables
from remi_tf.data.tables.layouts import Columns, Layout, TextForm
from remi_tf.data.tables.reading import read_log
from remi_tf.errors import InputError
from tests.raw_logs import rows_of

LAYOUT = Layout(Columns("user", "item", "time", title="title"))
NAMES = ["user", "item", "title", "time"]
Rows = list[tuple[str, str, str, int]]

LETTERS = ["a", "B", "0", "007", "é", "书", "😀", "\u2028", "NaN", "1e-7", "null", "\\", "x y", "'"]
PIECES = [*LETTERS, '"', '""', ",", "\t", ";", "|"]
ids = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join).filter(lambda text: text.strip() == text)
titles = st.lists(st.sampled_from([*PIECES, "\n", "\r\n", " "]), max_size=5).map("".join)
tables = st.lists(st.tuples(ids, ids, titles, st.integers(0, 4_000_000_000)), min_size=1, max_size=12)


def by_pandas(separator: str, end: str = "\n", mark: str = "") -> Callable[[Rows], bytes]:
    def write(rows: Rows) -> bytes:
        frame = pd.DataFrame(rows, columns=NAMES)
        return (mark + frame.to_csv(index=False, sep=separator, lineterminator=end)).encode()

    return write


def by_csv(separator: str, quoting: int = csv.QUOTE_MINIMAL) -> Callable[[Rows], bytes]:
    def write(rows: Rows) -> bytes:
        out = io.StringIO()
        csv.writer(out, delimiter=separator, quoting=quoting).writerows([tuple(NAMES), *rows])  # type: ignore[arg-type]
        return out.getvalue().encode()

    return write


def by_json(ascii_only: bool, array: bool) -> Callable[[Rows], bytes]:
    def write(rows: Rows) -> bytes:
        objects = [json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=ascii_only) for row in rows]
        return ("[" + ",\n".join(objects) + "]" if array else "\n".join(objects)).encode()

    return write


def by_polars(rows: Rows) -> bytes:
    return polars.DataFrame(rows, schema=NAMES, orient="row").write_csv().encode()


def by_polars_parquet(rows: Rows) -> bytes:
    out = io.BytesIO()
    polars.DataFrame(rows, schema=NAMES, orient="row").write_parquet(out)
    return out.getvalue()


def by_polars_json(rows: Rows) -> bytes:
    return polars.DataFrame(rows, schema=NAMES, orient="row").write_ndjson().encode()


def by_duckdb(rows: Rows) -> bytes:
    frame = pd.DataFrame(rows, columns=NAMES)  # noqa: F841 (DuckDB finds it by its name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log.csv")
        duckdb.sql("select * from frame").write_csv(str(path))
        return path.read_bytes()


def by_parquet(rows: Rows) -> bytes:
    return pd.DataFrame(rows, columns=NAMES).to_parquet(index=False)


# Name → file, separator, writer. A tab-separated file with tabs inside its fields needs --quotes csv.
WRITERS: dict[str, tuple[str, str | None, Callable[[Rows], bytes]]] = {
    "pandas, comma": ("log.csv", None, by_pandas(",")),
    "pandas, tab": ("log.tsv", "\t", by_pandas("\t")),
    "Excel, semicolon": ("log.csv", ";", by_pandas(";", "\r\n", "\ufeff")),
    "csv, comma": ("log.csv", None, by_csv(",")),
    "csv, all quoted": ("log.csv", None, by_csv(",", csv.QUOTE_ALL)),
    "csv, bar": ("log.txt", "|", by_csv("|")),
    "csv, tab": ("log.tsv", "\t", by_csv("\t")),
    "JSON lines": ("log.jsonl", None, by_json(False, False)),
    "JSON lines, ASCII": ("log.jsonl", None, by_json(True, False)),
    "JSON array": ("log.json", None, by_json(False, True)),
    "Parquet": ("log.parquet", None, by_parquet),
    "polars": ("log.csv", None, by_polars),
    "polars, Parquet": ("log.parquet", None, by_polars_parquet),
    "polars, JSON lines": ("log.jsonl", None, by_polars_json),
    "duckdb": ("log.csv", None, by_duckdb),
}
BAD = {"log.csv": "x\r\n", "log.tsv": "x\r\n", "log.txt": "x\r\n", "log.jsonl": "\nx\n"}


def normal(title: str) -> str:
    """Line ends inside a field are the writer's to choose."""
    return title.replace("\r\n", "\n")


@pytest.mark.parametrize("writer", WRITERS)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=tables)
def test_a_table_reads_to_the_same_rows_through_every_path(writer, tmp_path_factory, rows):
    name, separator, write = WRITERS[writer]
    data = write(rows)
    first: dict[str, str] = {}
    for _, item, title, _ in rows:
        if title.strip():
            first.setdefault(item, normal(title))
    path = tmp_path_factory.mktemp("log") / name
    form = TextForm(separator, "csv" if separator == "\t" else "auto")
    for bad in {"", BAD.get(name, "")}:
        end = b"" if data.endswith(b"\n") or not bad else b"\n"
        path.write_bytes(data + end + bad.encode())
        for block in (4 << 20, 40):
            for few in (0, 1 << 20):
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(streams, "BLOCK_BYTES", block)
                    patch.setattr(text_tables, "FEW_BYTES", few)
                    patch.setattr(json_tables, "FEW_BYTES", few)
                    log = read_log([path], LAYOUT, form=form, time_unit="s", on_bad_row="skip" if bad else "stop")
                assert rows_of(log) == [(user, item, time) for user, item, _, time in rows]
                assert {item: normal(title) for item, title in log.titles.items()} == first
                assert sum(log.dropped.values()) == bool(bad)


@settings(deadline=None, max_examples=60)
@given(rows=tables, block=st.sampled_from([4 << 20, 40]))
def test_raw_quotes_in_a_tab_separated_file_lose_no_row(tmp_path_factory, rows, block):
    """Titles written as they are: whatever quotes they hold, each line is a row."""
    clean = [row for row in rows if not set("\t\r\n") & set("".join(row[:3])) and '"' not in row[0] + row[1]]
    lines = ["\t".join(map(str, row)) for row in [*clean, ("u", "i", "t", 5)]]
    path = tmp_path_factory.mktemp("log") / "log.inter"
    path.write_text("\n".join(["user\titem\ttitle\ttime", *lines]), encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "BLOCK_BYTES", block)
        patch.setattr(text_tables, "FEW_BYTES", 0)
        log = read_log([path], LAYOUT, time_unit="s")
        plain = read_log([path], LAYOUT, form=TextForm(quotes="none"), time_unit="s")
    assert [time for _, _, time in rows_of(log)] == [row[3] for row in clean] + [5]
    assert rows_of(plain) == [(user, item, time) for user, item, _, time in [*clean, ("u", "i", "t", 5)]]


TEXT = ["a", "7", '"', '"', ",", ",", "\n", "\n", "\r\n", "\r", "\udcff", " ", "5", "1e5", "NaN", "0x1", "9" * 25]
TEXT += ["u,i,t,5\n", 'u,i,"t",6\n', 'u,i,"t\nx",6\n']
ROW = '{"user": "a", "item": "b", "time": 5, "title": "x"}\n'
JSON = [
    ROW,
    ROW,
    ROW,
    '{"user": 1, "item": 2.0, "time": 5.5}\n',
    "null\n",
    '"',
    "{",
    "}",
    "\udcff",
    "\\ud800",
    ",",
    "1e400",
]
JSON += ['{"user": "a", "item": "b", "time": NaN}\n', '{"user": "a", "item": "b", "item": "c", "time": 5}\n', "\r\n"]


@settings(deadline=None, max_examples=200)
@given(
    st.tuples(st.just("csv"), st.lists(st.sampled_from(TEXT)))
    | st.tuples(st.just("jsonl"), st.lists(st.sampled_from(JSON)))
)
def test_damaged_files_read_to_the_same_rows_and_the_same_counts_through_every_path(tmp_path_factory, drawn):
    end, pieces = drawn
    path = tmp_path_factory.mktemp("log") / f"log.{end}"
    text = "user,item,title,time\n" * (end == "csv") + "".join(pieces)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = []
    for block, few in ((4 << 20, 0), (4 << 20, 1 << 20), (48, 0)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(streams, "BLOCK_BYTES", block)
            patch.setattr(text_tables, "FEW_BYTES", few)
            patch.setattr(json_tables, "FEW_BYTES", few)
            try:
                log = read_log([path], LAYOUT, time_unit="none", on_bad_row="skip")
            except InputError as error:
                found.append(str(error))
            else:
                found.append((rows_of(log), log.titles, log.dropped))
    assert found[0] == found[1] == found[2]
