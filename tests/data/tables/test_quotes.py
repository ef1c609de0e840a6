"""Which quotes are quotes: the rule for CSV, the rule for tab-separated files, wherever a block ends."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

import remi_tf.data.tables.quotes as quotes
import remi_tf.data.tables.streams as streams
from remi_tf.data.tables.layouts import Columns, Layout, TextForm, rule_for
from remi_tf.data.tables.quotes import row_ends, settle
from remi_tf.data.tables.rows import split_records
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, read_text, rows_of

TITLED = Layout(Columns("user", "item", "time", title="title"))
RAW = ["plain", '"Odd Al" hits', '12" remix', '"Blue', 'Live at "X"', '"', "'Round ten", '"Q" "R"', 'End of "', '""']


def fields(text: str, separator: str = ",", rule: str = "csv", **options) -> list[list[str]]:
    settled = settle(text.encode(), separator, rule, ended=True, **options)
    assert settled.data.count(b"\n") == text.count("\n")  # lines keep their numbers
    return [record.fields for record in split_records(settled.data, 1, separator, rule)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('"a","b"', ["a", "b"]),
        ('"a,b",c', ["a,b", "c"]),
        ('"a""b",c', ['a"b', "c"]),
        ('"",c', ["", "c"]),
        ('"""",c', ['"', "c"]),
        ('12" remix,c', ['12" remix', "c"]),
        ('"Odd Al" hits,c', ['"Odd Al" hits', "c"]),
        ('"Q" "R",c', ['"Q" "R"', "c"]),
        (' "a",c', [' "a"', "c"]),
        ('a,"c"\r', ["a", "c"]),
        ('a"b",""c', ['a"b"', '""c']),
    ],
)
def test_a_field_is_quoted_if_its_closing_quote_ends_it_and_any_other_quote_is_plain(line, expected):
    assert fields(f"{line}\nx,y\n") == [expected, ["x", "y"]]
    assert fields(f"x,y\n{line}") == [["x", "y"], expected]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('u\t"Blue\t5', ["u", '"Blue', "5"]),
        ('u\t"a\tb"\t5', ["u", "a\tb", "5"]),
        ('u\t"a ""b"""\t5', ["u", 'a "b"', "5"]),
        ('u\t"two\nlines"\t5', ["u", "two\nlines", "5"]),
        ('"Blue\tEnd of "\t5', ['"Blue', 'End of "', "5"]),  # the line has three columns by itself
    ],
)
def test_in_a_tab_separated_file_quotes_are_plain_unless_they_enclose_a_field_that_fits(line, expected):
    read = fields(f'a\tb\tc\n{line}\nx\ty\tEnd of "\n', "\t", "tab", columns=3)
    assert read == [["a", "b", "c"], expected, ["x", "y", 'End of "']]


def test_no_row_of_a_tab_separated_file_is_lost_to_a_quote(tmp_path, monkeypatch):
    rows = [(f"u{k % 7}", f"i{k}", RAW[k % len(RAW)], 1_400_000_000 + k) for k in range(400)]
    text = "user\titem\ttitle\ttime\n" + "".join("\t".join(map(str, row)) + "\n" for row in rows)
    expected = [(user, item, time) for user, item, _, time in rows]
    for block, name in ((1 << 20, "log.tsv"), (1 << 20, "log.inter"), (300, "log.tsv")):
        monkeypatch.setattr(streams, "BLOCK_BYTES", block)
        assert rows_of(read_text(tmp_path, text, name)) == expected
        log = read_text(tmp_path, text, name, layout=TITLED)
        assert log.titles["i3"] == '"Blue' and log.titles["i2"] == '12" remix' and log.titles["i1"] == '"Odd Al" hits'


def test_quotes_may_be_taken_as_they_stand_or_by_the_standard(tmp_path):
    text = 'user\titem\ttime\ttitle\nu\ti\t5\t"a\tb\nc"\nv\t"i"\t6\tx\n'
    with pytest.raises(InputError, match=r"log\.tsv line 2: 5 columns where 4 are expected \(.*give --quotes csv\)"):
        read_text(tmp_path, text, "log.tsv", layout=TITLED)
    log = read_text(tmp_path, text, "log.tsv", layout=TITLED, form=TextForm(quotes="csv"))
    assert rows_of(log) == [("u", "i", 5), ("v", "i", 6)] and log.titles["i"] == "a\tb\nc"
    log = read_text(tmp_path, HEAD + 'u,"i",5\nu,"j,6\n', form=TextForm(quotes="none"))
    assert rows_of(log) == [("u", '"i"', 5), ("u", '"j', 6)]


@pytest.mark.parametrize("title", ['say \\"hi\\" now', 'one, two \\"three', 'ends in \\"', '\\"both\\"'])
def test_quotes_as_spark_writes_them_are_refused_with_their_line(tmp_path, title):
    """Its default is a backslash before a quote. As CSV that would be another text, or other columns."""
    text = "user,item,title,time\n" + "u,i,plain,1400000000\n" + f'u,j,"{title}",1400000001\nu,k,"x, y",1400000002\n'
    with pytest.raises(InputError, match=r"log\.csv line 3: a quote opens a field here .* Spark .*escape"):
        read_text(tmp_path, text, layout=TITLED)
    found = read_text(tmp_path, text, layout=TITLED, on_bad_row="skip")
    assert [row[1] for row in rows_of(found)] == ["i", "k"] and found.titles["k"] == "x, y"


def test_a_backslash_that_is_text_stays_one(tmp_path):
    text = "user,item,title,time\n" + 'u,i,"C:\\",5\nu,j,"a\\""b, c",6\nu,k,5\\" x,7\nu,l,"Odd" hits,8\n'
    log = read_text(tmp_path, text, layout=TITLED)
    assert log.titles == {"i": "C:\\", "j": 'a\\"b, c', "k": '5\\" x', "l": '"Odd" hits'}


def test_a_quoted_field_that_consists_of_rows_is_not_read_in_silence(tmp_path):
    text = (
        "user,item,title,time\n" + 'u,i,"Blue,1400000000\nu,j,x,1400000001\nu,k,End of ",1400000002\nu,l,x,1400000003\n'
    )
    with pytest.raises(InputError, match=r"log\.csv line 2: .*of these lines is a row by itself; give --quotes none"):
        read_text(tmp_path, text, on_bad_row="skip")
    assert len(read_text(tmp_path, text, form=TextForm(quotes="none"))) == 4
    assert len(read_text(tmp_path, text, form=TextForm(quotes="csv"))) == 2


@pytest.mark.parametrize("lines", [2, 99, 100, 101, 150, 5000])
def test_a_quoted_field_may_run_over_any_number_of_lines(tmp_path, monkeypatch, lines):
    review = "\n".join(f"line, {k}" for k in range(lines))
    text = f'user,item,review,time\nu,i,ok,1\nu,i,"{review}",2\nu,i,ok,3\nu,,ok,4\nu,i,ok,5\n'
    for block in (1 << 20, 64):
        monkeypatch.setattr(streams, "BLOCK_BYTES", block)
        with pytest.raises(InputError, match=rf"^log\.csv line {lines + 4}: item is empty"):
            read_text(tmp_path, text, time_unit="s")
        log = read_text(tmp_path, text, time_unit="s", on_bad_row="skip")
        assert [time for _, _, time in rows_of(log)] == [1, 2, 3, 5]
        assert any(
            note.startswith("in log.csv 1 row holds a quoted field that runs over line ends") for note in log.notes
        )


def test_a_quote_that_is_never_closed_is_one_bad_row_however_long_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "BLOCK_BYTES", 256)
    monkeypatch.setattr(quotes, "LONGEST_FIELD", 1000)
    rows = [f"u{k},i,{k}\n" for k in range(500)]
    rows[40] = '"u40,i,40\n'
    text = HEAD + "".join(rows)
    with pytest.raises(
        InputError, match=r"^log\.csv line 42: a quote opens a field here and is never closed .*; mend it"
    ):
        read_text(tmp_path, text, time_unit="s")
    log = read_text(tmp_path, text, time_unit="s", on_bad_row="skip")
    assert [time for _, _, time in rows_of(log)] == [k for k in range(500) if k != 40]


def test_the_rule_follows_the_separator_and_the_flag():
    assert [rule_for(separator) for separator in (",", ";", "\t", "::")] == ["csv", "csv", "tab", "none"]
    assert [rule_for("\t", choice) for choice in ("csv", "none")] == ["csv", "none"]


def test_a_row_ends_where_no_quote_is_open():
    assert row_ends(b'a\n"b\nc"\nd').tolist() == [2, 8]


TEXT = st.text(st.sampled_from('ab",\n\r\t;é😀'), max_size=6)


@given(st.lists(st.lists(TEXT, min_size=3, max_size=3), min_size=1, max_size=6), st.sampled_from(",;|\t"))
def test_what_a_csv_writer_writes_is_read_back(rows, separator):
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\r\n").writerows(rows)
    assert fields(out.getvalue(), separator) == rows


@given(st.text(st.sampled_from('ab",\n'), max_size=40), st.integers(1, 40), st.sampled_from(["csv", "tab"]))
def test_the_rows_do_not_depend_on_where_a_block_ends(text, size, rule):
    data, mark = text.encode(), "," if rule == "csv" else "b"
    whole = settle(data, mark, rule, ended=True).data
    pieces, rest, position = [], b"", 0
    while True:
        rest, position = rest + data[position : position + size], position + size
        ended = position >= len(data)
        cut = len(rest) if ended else rest.rfind(b"\n") + 1
        settled = settle(rest[:cut], mark, rule, ended=ended)
        pieces.append(settled.data)
        rest = rest[settled.used :]
        if ended:
            break
    assert b"".join(pieces) == whole
    settled = settle(whole, mark, "csv", ended=True)
    assert settled.data == whole and not settled.unclosed  # each quote is one now
