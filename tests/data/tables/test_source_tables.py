"""Item tables of the logs that are known by name bring features."""

import zipfile

import pytest

from remi_tf.data.tables.feature_kinds import Asked, parse_features
from remi_tf.data.tables.item_tables import ItemColumns, add_item_table, add_tables_beside
from remi_tf.data.tables.reading import read_log
from remi_tf.data.tables.rows import BadRows
from remi_tf.data.tables.sources import SOURCES
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, read_text

RATINGS = "1::1193::5::978300760\n1::2::5::978300761\n"
MOVIES = "1193::Café (1996)::Drama|War\n2::Untitled::Comedy\n"


@pytest.fixture
def films(tmp_path):
    path = tmp_path / "ml-1m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ml-1m/ratings.dat", RATINGS)
        archive.writestr("ml-1m/movies.dat", MOVIES.encode("latin-1"))
    return path


def read(path, asked=None):
    log = read_log([path], SOURCES["ml-1m"])
    add_tables_beside(log, SOURCES["ml-1m"], [path], BadRows(), asked)
    return log


def test_films_have_genres_a_year_and_a_title_without_it(films):
    features = read(films).features
    assert features.asked == [Asked("genres", "multi"), Asked("year", "number"), Asked("title", "text")]
    assert [features.of_items(k, ["1193", "2"]) for k in range(3)] == [
        ["Drama|War", "Comedy"],
        ["1996", ""],
        ["Café", "Untitled"],
    ]


def test_ones_own_choice_of_a_sources_columns(films):
    assert read(films, ()).features is None
    chosen = read(films, parse_features("year:category,genres", "--item_features")).features
    assert chosen.asked == [Asked("year", "category"), Asked("genres", "multi")]
    assert chosen.of_items(0, ["1193"]) == ["1996"]
    with pytest.raises(InputError, match=r"movies\.dat: no column 'genre'.*did you mean 'genres'"):
        read(films, (Asked("genre", ""),))


def test_a_feature_of_a_table_that_is_not_there_is_an_error_only_if_it_was_asked_for(tmp_path):
    (tmp_path / "ratings.dat").write_text(RATINGS)
    assert read(tmp_path / "ratings.dat").features is None
    with pytest.raises(InputError, match=r"--item_features genres: movies\.dat of ml-1m is not next to the log"):
        read(tmp_path / "ratings.dat", (Asked("genres", ""),))


def test_the_same_table_can_be_given_for_a_log_of_another_form(tmp_path):
    (tmp_path / "movies.dat").write_text(MOVIES, encoding="latin-1")
    log = read_text(tmp_path, HEAD + "u,1193,1\n")
    asked = (Asked("year", ""),)
    add_item_table(log, tmp_path / "movies.dat", ItemColumns(features=asked), "item", None, BadRows())
    assert log.features.asked == [Asked("year", "number")] and log.titles == {"1193": "Café (1996)"}


def test_books_have_all_their_categories_and_only_columns_that_occur(tmp_path):
    meta = "{'asin': 'B1', 'title': 'It', 'categories': [['Books', 'Horror'], ['Books', 'Kindle']]}\n"
    (tmp_path / "meta_Books.json").write_text(meta)
    log = read_text(tmp_path, "A1,B1,5.0,1390000000\n", "ratings_Books.csv", layout=SOURCES["book"])
    add_tables_beside(log, SOURCES["book"], [tmp_path / "ratings_Books.csv"], BadRows())
    assert log.features.asked == [Asked("categories", "multi"), Asked("title", "text")]  # nobody has a brand
    assert log.features.of_items(0, ["B1"]) == ["Books|Horror|Kindle"]
