"""What a raw file looks like: its separator and its columns."""

import pytest

from remi_tf.data.tables.layouts import (
    Columns,
    Layout,
    find_column,
    find_index,
    find_usual_column,
    guess_separator,
    kind_of,
    parse_separator,
)
from remi_tf.errors import InputError
from tests.raw_logs import read_text, rows_of


def test_missing_column_lists_the_columns_and_suggests_one(tmp_path):
    with pytest.raises(
        InputError, match=r"no column 'item'; there are 'user', 'items', 'time'; did you mean 'items'\?"
    ):
        read_text(tmp_path, "user,items,time\na,b,1\n")


def test_a_missing_column_may_mean_that_there_is_no_header_and_the_message_says_so(tmp_path):
    with pytest.raises(InputError, match="; if the file has no header: --no_header, and columns are numbers from 0"):
        read_text(tmp_path, "196,242,3\n186,302,3\n")


def test_columns_by_index_without_header(tmp_path):
    layout = Layout(Columns("2", "0", "1"), header=False)
    assert rows_of(read_text(tmp_path, "i,5,u\n", layout=layout)) == [("u", "i", 5)]
    with pytest.raises(InputError, match="line 1: column 1 'x'"):
        read_text(tmp_path, "i,x,u\n", layout=layout, time_unit="s")
    with pytest.raises(InputError, match="no column 3; there are 3"):
        read_text(tmp_path, "i,x,u\n", layout=Layout(Columns("3", "0"), header=False))


@pytest.mark.parametrize(
    ("name", "line", "separator"),
    [
        ("log.csv", "a,b;c;d;e", ","),
        ("log.csv", "a;b;c", ";"),
        ("log.tsv", "a,b,c\td", "\t"),
        ("ratings.dat", "1::2::3::4", "::"),
        ("log.txt", "a|b|c", "|"),
        ("log.txt", "one", ","),
    ],
)
def test_the_separator_is_told_from_name_and_first_line(name, line, separator):
    assert guess_separator(name, line) == separator


def test_the_kind_of_a_file_is_told_by_its_content_whatever_its_name():
    assert kind_of("log.csv", b"PAR1\x15") == "parquet"
    assert kind_of("log.txt", b'\xef\xbb\xbf {"user": 1}') == "json"
    assert [kind_of(name, b"") for name in ("a.parquet", "a.jsonl", "a.csv")] == ["parquet", "json", "text"]


def test_a_separator_may_be_named():
    assert [parse_separator(text) for text in ("tab", "\\t", "pipe", "::", ";")] == ["\t", "\t", "|", "::", ";"]
    with pytest.raises(InputError, match="--sep is empty"):
        parse_separator("")


def test_columns_are_found_by_the_name_in_front_of_a_type():
    assert find_column("item_id", ["user_id:token", " item_id:token"], "log") == 1
    assert find_column("b:c", ["a", "b:c"], "log") == 1


def test_without_a_name_the_first_usual_one_is_found_in_any_case():
    names = ["id", " Name", "title"]
    assert find_usual_column(None, ("title", "name"), names, "items") == 2
    assert find_usual_column(None, ("name", "title"), names, "items") == 1
    assert find_usual_column(None, ("genre",), names, "items") is None
    assert find_usual_column("id", ("title",), names, "items") == 0


def test_without_a_header_a_name_is_no_column():
    with pytest.raises(InputError, match=r"^log: without a header columns are named by index from 0, not 'user'"):
        find_index("user", 3, "log")
