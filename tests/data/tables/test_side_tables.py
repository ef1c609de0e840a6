"""Tables next to a log: the same in every form."""

import gzip
import json
import zipfile

import pandas as pd
import pytest

from remi_tf.data.tables.item_tables import ItemColumns, add_item_table
from remi_tf.data.tables.layouts import TextForm
from remi_tf.data.tables.rows import BadRows
from remi_tf.data.tables.side_tables import latin_lines, rows_beside, table_rows
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, read_text


@pytest.mark.parametrize("name", ["items.parquet", "items.jsonl", "items.jsonl.gz"])
def test_item_tables_in_other_forms_say_the_same(tmp_path, name):
    rows = [{"sku": "c", "genres": ["z"]}, {"sku": "b", "genres": ["x", "y"], "title": "The B"}]
    if name == "items.parquet":
        pd.DataFrame(rows).assign(genres=["z", "x|y"]).to_parquet(tmp_path / name)
    else:
        text = "\n".join(map(json.dumps, rows)).encode()
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    log = read_text(tmp_path, HEAD + "a,b,1\na,c,2\n")
    add_item_table(log, tmp_path / name, ItemColumns(), "item", None, BadRows())
    assert log.categories == {"b": "x", "c": "z"} and log.titles == {"b": "The B"}


def pick_first_two(names, label):
    return [0, 1]


def test_a_row_comes_with_its_file_and_line(tmp_path):
    (tmp_path / "items.csv").write_text('id,name\na,"two\nlines"\nb,\n')
    rows = list(table_rows(tmp_path / "items.csv", pick_first_two, None, "item table", BadRows()))
    assert rows == [("items.csv line 2", ["a", "two\nlines"]), ("items.csv line 4", ["b", ""])]


def test_a_row_that_is_too_short_is_counted_under_the_tables_name(tmp_path):
    (tmp_path / "items.csv").write_text("id,name\na\nb,B\n")
    with pytest.raises(InputError, match=r"items\.csv line 2: 1 columns where 2 are expected"):
        list(table_rows(tmp_path / "items.csv", pick_first_two, None, "item table", BadRows()))
    bad = BadRows("skip")
    rows = [values for _, values in table_rows(tmp_path / "items.csv", pick_first_two, None, "item table", bad)]
    assert rows == [["", ""], ["b", "B"]]  # it keeps its place: an array next to the table has a row for it
    assert bad.counts == {"item table: number of columns": 1}


def test_a_table_is_found_next_to_the_log_or_in_its_archive(tmp_path):
    def reader(path, bad):
        return latin_lines(path, "names.dat", bad)

    (tmp_path / "log.dat").write_text("")
    assert rows_beside({"names.dat": reader}, ["names.dat"], [tmp_path / "log.dat"], BadRows()) is None
    (tmp_path / "names.dat").write_bytes("Café\r\n".encode("latin-1"))
    assert rows_beside({"names.dat": reader}, ["names.dat"], [tmp_path / "log.dat"], BadRows()) == (
        "names.dat",
        ["Café"],
    )
    with zipfile.ZipFile(tmp_path / "log.zip", "w") as archive:
        archive.writestr("log/names.dat", "Caf\u00e9\n".encode("latin-1"))
    assert rows_beside({"names.dat": reader}, ["names.dat"], [tmp_path / "log.zip"], BadRows()) == (
        "names.dat",
        ["Café"],
    )


def test_a_json_table_reads_what_is_no_value_as_empty_and_names_bad_lines(tmp_path):
    rows = ['{"id": "a", "name": NaN}', '{"id": Infinity, "name": null}', '{"id": 7.0, "name": "x"}']
    for name, text in (("t.jsonl", "\n".join(rows)), ("t.json", "[" + ",\n".join(rows) + "]")):
        (tmp_path / name).write_text(text)
        found = list(table_rows(tmp_path / name, pick_first_two, None, "item table", BadRows()))
        assert [values for _, values in found] == [["a", ""], ["", ""], ["7", "x"]]
        assert [place for place, _ in found] == [f"{name} line {line}" for line in (1, 2, 3)]
    (tmp_path / "t.jsonl").write_text('{"id": "a", "name": "x"}\nnull\n{"id": "\\ud800", "name": "x"}\n')
    bad = BadRows("skip")
    rows = [values for _, values in table_rows(tmp_path / "t.jsonl", pick_first_two, None, "item table", bad)]
    assert rows == [["a", "x"], ["", ""]]
    assert bad.counts == {"not JSON": 1, "not UTF-8": 1}


def test_a_text_table_follows_the_rule_of_quotes_and_the_encoding(tmp_path):
    titles = ['"Blue', '12" remix', '"', '"Q" "R"', 'End of "', "Café"]
    text = "id\tname\n" + "".join(f"{k}\t{title}\n" for k, title in enumerate(titles))
    (tmp_path / "t.tsv").write_text(text, encoding="latin-1")
    rows = table_rows(tmp_path / "t.tsv", pick_first_two, TextForm(encoding="latin-1"), "item table", BadRows())
    assert [values[1] for _, values in rows] == titles
    with pytest.raises(InputError, match=r"t\.tsv line 7: name b'Caf\\xe9' is not UTF-8"):
        list(table_rows(tmp_path / "t.tsv", pick_first_two, None, "item table", BadRows()))
    (tmp_path / "t.csv").write_text('id,name\na,"x\nb,y\n')
    with pytest.raises(InputError, match=r"t\.csv line 2: a quote opens a field here and is never closed"):
        list(table_rows(tmp_path / "t.csv", pick_first_two, None, "item table", BadRows()))
    review = "\n".join("line" for _ in range(300))
    (tmp_path / "t.csv").write_text(f'id,name\na,"{review}"\nb,y\n')
    bad = BadRows()
    assert [place for place, _ in table_rows(tmp_path / "t.csv", pick_first_two, None, "item table", bad)] == [
        "t.csv line 2",
        "t.csv line 302",
    ]
    assert bad.over_lines == {"t.csv": 1}
