"""Titles and categories from a table of items: beside a named source's log, or of anybody's."""

import gzip
import zipfile

import pytest

from remi_tf.data.tables.item_tables import ItemColumns, add_item_table, add_tables_beside
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
