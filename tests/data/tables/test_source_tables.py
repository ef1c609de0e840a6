"""Item tables of the logs that are known by name bring features."""

import gzip
import zipfile

import pytest

from remi_tf.data.tables.feature_kinds import Asked, parse_features
from remi_tf.data.tables.item_tables import ItemColumns, add_item_table, add_tables_beside
from remi_tf.data.tables.labels import CategoryChoice, every_element
from remi_tf.data.tables.reading import read_log
from remi_tf.data.tables.rows import BadRows
from remi_tf.data.tables.sources import SOURCES
from remi_tf.errors import InputError
from tests.amazon_toys import item, lines, ratings, review
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


DRAMA, HORROR = ["Movies & TV", "Genres", "Drama"], ["Movies & TV", "Genres", "Horror"]
META = [
    item("B0", DRAMA),
    item("B1", HORROR, price=None, store=None),
    item("B2", HORROR, price="—", title='The "Café"\n\u2028 [Blu-ray]'),
    item("B3", [], price="from 5.00", title=None),
    item("B4", None, price="12.50"),
    item("B5", [*DRAMA, "Silent | Short"], price=3),
    item("B6", DRAMA, price="None"),
    item("B7", HORROR[:1]),
    item("stranger", HORROR),
]


def read_2023(folder, meta, name="meta_Movies_and_TV.jsonl", asked=None, choice=None, bad=None):
    text = meta if isinstance(meta, str) else lines(meta)
    (folder / name).write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    source = SOURCES["amazon-2023:Movies_and_TV"]
    log = read_text(folder, ratings([review("u", f"B{n}") for n in range(8)]), "Movies_and_TV.csv", layout=source)
    add_tables_beside(log, source, [folder / "Movies_and_TV.csv"], bad or BadRows(), asked, choice)
    return log


@pytest.mark.parametrize("name", ["meta_Movies_and_TV.jsonl", "meta_Movies_and_TV.jsonl.gz"])
def test_amazons_table_of_2023_is_found_beside_the_log(tmp_path, name):
    log = read_2023(tmp_path, META, name)
    assert log.titles["B0"] == "Film B0" and log.titles["B2"].startswith('The "Café"') and "B3" not in log.titles
    assert log.files[-1]["holds"] == "item table"
    assert "1 of the table's items are not in the log" in log.notes[1]


def test_what_is_said_of_an_item_of_2023_is_its_feature_and_ratings_are_not(tmp_path):
    features = read_2023(tmp_path, META).features
    kinds = [("categories", "multi"), ("store", "category"), ("price", "number"), ("title", "text")]
    assert [tuple(asked) for asked in features.asked] == kinds
    ids = [f"B{n}" for n in range(8)]
    assert features.of_items(2, ids) == ["9.99", "", "", "", "12.50", "3", "", "9.99"]  # only numbers are prices
    assert features.of_items(1, ids) == ["Studio", "", *["Studio"] * 6]
    paths = [every_element(text) for text in features.of_items(0, ids)]
    assert paths[0] == DRAMA and paths[3] == paths[4] == [] and paths[5] == [*DRAMA, "Silent | Short"]


def test_a_category_below_the_first_level_is_chosen_as_it_tells_items_apart(tmp_path):
    categories = read_2023(tmp_path, META).categories
    assert [categories.get(f"B{n}") for n in range(8)] == [
        *("Drama", "Horror", "Horror", None, None, "Silent | Short", "Drama", "Movies & TV")
    ]
    first = read_2023(tmp_path, META, choice=CategoryChoice("first"))
    assert set(first.categories.values()) == {"Movies & TV"}
    assert any("tells little" in note for note in first.notes)


def test_features_of_2023_that_no_item_has_are_left_out_and_others_can_be_chosen(tmp_path):
    poor = [dict(row, price=None, categories=[]) for row in META]
    log = read_2023(tmp_path, poor)
    assert log.features.asked == [Asked("store", "category"), Asked("title", "text")] and not log.categories
    assert read_2023(tmp_path, META, asked=(Asked("price", ""),)).features.asked == [Asked("price", "number")]
    with pytest.raises(InputError, match="no column 'brand'; there are 'categories', 'store', 'price', 'title'"):
        read_2023(tmp_path, META, asked=(Asked("brand", ""),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"title": "x"}\n', "there is no 'parent_asin' in the object"),
        ('{"parent_asin": " ", "title": "x"}\n', "parent_asin is empty"),
        ('{"parent_asin": "B1", "title": "\\ud800"}\n', "title .* is not UTF-8"),
        ('{"parent_asin": "B1", "title"\n', "is not a JSON object"),
    ],
)
def test_a_bad_row_of_the_table_of_2023_is_named(tmp_path, text, message):
    broken = lines(META[:1]) + text + lines(META[2:])
    with pytest.raises(InputError, match=rf"meta_Movies_and_TV.jsonl line 2: .*{message}.* --on_bad_row skip"):
        read_2023(tmp_path, broken)
    bad = BadRows("skip")
    log = read_2023(tmp_path, broken, bad=bad)
    assert "B0" in log.titles and "B1" not in log.titles and bad.counts.total() == 1


def test_the_table_of_2023_may_lie_in_the_logs_archive(tmp_path):
    path = tmp_path / "movies.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data/Movies_and_TV.csv", ratings([review("u", "B0"), review("u", "B1")]))
        archive.writestr("data/meta_Movies_and_TV.jsonl", lines(META))
    source = SOURCES["amazon-2023:Movies_and_TV"]
    log = read_log([path], source)
    add_tables_beside(log, source, [path], BadRows())
    assert len(log) == 2 and log.titles == {"B0": "Film B0", "B1": "Film B1"}


def test_the_table_of_2023_can_be_given_for_a_log_of_another_form(tmp_path):
    (tmp_path / "meta_Movies_and_TV.jsonl").write_text(lines(META), encoding="utf-8")
    log = read_text(tmp_path, HEAD + "".join(f"u,B{n},1\n" for n in range(8)))
    columns = ItemColumns(choice=CategoryChoice("2"), features=(Asked("price", ""),))
    add_item_table(log, tmp_path / "meta_Movies_and_TV.jsonl", columns, "item", None, BadRows())
    assert log.categories["B0"] == "Genres" and log.features.asked == [Asked("price", "number")]


def test_a_named_log_without_its_table_says_what_is_missing(tmp_path):
    (tmp_path / "ratings.dat").write_text(RATINGS)
    assert read(tmp_path / "ratings.dat").notes[-1] == (
        "no titles, categories or features: movies.dat is not next to the log"
    )
