"""Titles and categories from a table of items: beside a named source's log, or of anybody's."""

import gzip
import zipfile

import pandas as pd
import pytest

from remi_tf.data.tables.data_frames import read_frame
from remi_tf.data.tables.feature_kinds import Asked
from remi_tf.data.tables.item_tables import ItemColumns, add_item_table, add_tables_beside, settle_labels
from remi_tf.data.tables.labels import CategoryChoice
from remi_tf.data.tables.layouts import Columns
from remi_tf.data.tables.reading import read_log
from remi_tf.data.tables.rows import BadRows
from remi_tf.data.tables.sources import SOURCES
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, read_text


def test_movielens_titles_and_genres_come_from_the_table_beside_the_log(tmp_path):
    flags = "|".join("1" if genre in (3, 4) else "0" for genre in range(19))
    item = f"242|Caf\u00e9 (1996)|24-Jan-1997||http://x|{flags}\n".encode("latin-1")
    (tmp_path / "u.item").write_bytes(item)
    log = read_text(tmp_path, "196\t242\t3\t881250949\n", "u.data", layout=SOURCES["ml-100k"])
    add_tables_beside(log, SOURCES["ml-100k"], [tmp_path / "u.data"], BadRows())
    assert log.titles == {"242": "Café (1996)"} and log.categories == {"242": "Animation"}
    path = tmp_path / "ml-1m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ml-1m/ratings.dat", "1::1193::5::978300760\n")
        archive.writestr("ml-1m/movies.dat", "1193::Caf\u00e9::Drama|War\n".encode("latin-1"))
        archive.writestr("ml-1m/users.dat", "1::F::1::10::48067\n")
    log = read_log([path], SOURCES["ml-1m"])
    add_tables_beside(log, SOURCES["ml-1m"], [path], BadRows())
    assert log.titles == {"1193": "Café"} and log.categories == {"1193": "Drama"}


def test_book_categories_are_the_last_of_the_first_path_also_from_python_literals(tmp_path):
    meta = "{'asin': '0001', 'title': 'It\\'s', 'categories': [['Books', 'Fiction'], ['Kindle']]}\n"
    (tmp_path / "meta_Books.json.gz").write_bytes(gzip.compress(meta.encode()))
    log = read_text(tmp_path, "A1,0001,5.0,1390000000\n", "ratings_Books.csv", layout=SOURCES["book"])
    add_tables_beside(log, SOURCES["book"], [tmp_path / "ratings_Books.csv"], BadRows())
    assert log.titles == {"0001": "It's"} and log.categories == {"0001": "Fiction"}


def test_item_table_gives_the_first_category_and_missing_columns_are_named(tmp_path):
    table = tmp_path / "items.csv"
    table.write_text("item,categories,title\nb,x|y,The B\nother,z,-\n")
    log = read_text(tmp_path, HEAD + "a,b,1\n")
    add_item_table(log, table, ItemColumns(), "item", None, BadRows())
    assert log.categories == {"b": "x"} and log.titles == {"b": "The B"}
    with pytest.raises(InputError, match="no column 'name'; there are"):
        add_item_table(log, table, ItemColumns(title="name"), "item", None, BadRows())
    with pytest.raises(InputError, match="none of its ids"):
        add_item_table(log, table, ItemColumns(id="title"), "item", None, BadRows())


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_categories_and_titles_that_are_lists_are_the_same_in_every_form(tmp_path, form):
    paths = [["Books", "Crime"], ["Books", "Poetry"], []]
    frame = pd.DataFrame({"item": [f"i{k}" for k in range(12)], "title": [["T", "t"]] * 12})
    frame["categories"] = [paths[k % 3] for k in range(12)]
    path = tmp_path / f"items.{form}"
    if form == "parquet":
        frame.to_parquet(path)
    elif form == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_json(path, orient="records", lines=True)
    log = read_text(tmp_path, HEAD + "".join(f"u,i{k},1\n" for k in range(12)))
    add_item_table(log, path, ItemColumns(), "item", None, BadRows())
    assert [log.categories.get(f"i{k}") for k in range(3)] == ["Crime", "Poetry", None]
    assert set(log.titles.values()) == {"T"} and any("--category_level" in note for note in log.notes)


def test_categories_of_the_log_itself_may_be_lists(tmp_path):
    frame = pd.DataFrame({"user": "u", "item": [f"i{k}" for k in range(8)]})
    frame["genres"] = [["All", f"g{k % 2}"] for k in range(8)]
    log = read_frame(frame, Columns("user", "item", category="genres"))
    settle_labels(log, CategoryChoice())
    assert log.categories["i3"] == "g1"


def test_a_table_says_how_much_joined_and_why_not(tmp_path):
    table = tmp_path / "items.csv"
    table.write_text("item,title\n103.0,A\n104.0,B\n")
    log = read_text(tmp_path, HEAD + "u,103,1\nu,105,2\n")
    add_item_table(log, table, ItemColumns(), "item", None, BadRows())
    assert log.titles == {"103": "A"} and log.notes[-1].startswith(
        "items.csv describes 1 of the log's 2 items, not '105'"
    )
    assert "1 of the table's items" in log.notes[-1]
    table.write_text("item,title\nABC,A\n")
    log = read_text(tmp_path, HEAD + "u,abc,1\n")
    with pytest.raises(InputError, match=r"the table has 'ABC', the log has 'abc'; .* differ only by upper and lower"):
        add_item_table(log, table, ItemColumns(), "item", None, BadRows())
    table.write_text("item,title\n007,A\n")
    log = read_text(tmp_path, HEAD + "u,7,1\n")
    with pytest.raises(InputError, match="differ only by leading zeros"):
        add_item_table(log, table, ItemColumns(), "item", None, BadRows())


def test_the_column_of_the_ids_is_no_feature(tmp_path):
    table = tmp_path / "items.csv"
    table.write_text("item,brand\n103,A\n")
    log = read_text(tmp_path, HEAD + "u,103,1\n")
    columns = ItemColumns(features=(Asked("brand", ""), Asked("item", "number")))
    with pytest.raises(InputError, match=r"items.csv: --item_features item: that is the column of the ids"):
        add_item_table(log, table, columns, "item", None, BadRows())
