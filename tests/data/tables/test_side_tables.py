"""Tables next to a log: the same in every form."""

import gzip
import json
import zipfile

import pandas as pd
import pytest

from remi_tf.data.tables.item_tables import ItemColumns, add_item_table
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
    assert len(list(table_rows(tmp_path / "items.csv", pick_first_two, None, "item table", bad))) == 1
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
