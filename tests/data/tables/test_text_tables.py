"""Separated text → rows: separators, quotes, line ends, and what is said about a row that cannot be used."""

import pytest

import remi_tf.data.tables.streams as streams
import remi_tf.data.tables.text_tables as text_tables
from remi_tf.data.tables.layouts import Columns, Layout
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, read_text, rows_of


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
        ('"u,i,5', "a quote opens a field here and is never closed"),
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


def test_rows_of_other_events_are_left_out_and_counted_whether_or_not_a_block_is_clean(tmp_path):
    layout = Layout(Columns("user", "item", "time"), keep=("kind", ("view",)))
    text = "user,item,time,kind\n" + "".join(f"u{k},i,{k},{'view' if k % 3 else 'buy'}\n" for k in range(30))
    for extra in ("", "broken\n"):
        log = read_text(tmp_path, text + extra, layout=layout, time_unit="s", on_bad_row="skip")
        assert [row[2] for row in rows_of(log)] == [k for k in range(30) if k % 3]
        assert log.dropped["rows of other events"] == 10


@pytest.mark.parametrize("time", ["0x10", "+5", " 5", "1e3", "5.", "007", "5.5", "1_0", "٣", "nan", "9" * 30])
@pytest.mark.parametrize(
    "name", ["1e-7", "1e-07", "NaN", "null", "0x10", "+5", " a ", "007", "9" * 40, "\x1f", "\u3000"]
)
def test_a_bad_row_does_not_change_its_neighbours(tmp_path, monkeypatch, time, name):
    """What the fast way reads, the slow way reads: the same rows, or the same row is bad."""
    text = HEAD + f"a,{name},{time}\n" + "a,b,7\n" * 3
    found = []
    for few, more in ((0, ""), (1 << 20, ""), (0, "u,v\n")):
        monkeypatch.setattr(text_tables, "FEW_BYTES", few)
        log = read_text(tmp_path, text + more, time_unit="none", on_bad_row="skip")
        found.append((rows_of(log), sum(log.dropped.values()) - bool(more)))
    assert found[0] == found[1] == found[2]


def test_a_header_alone_over_a_whole_block_is_still_a_header(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "BLOCK_BYTES", 16)
    assert rows_of(read_text(tmp_path, "\n" * 40 + HEAD + "a,b,5\n")) == [("a", "b", 5)]
