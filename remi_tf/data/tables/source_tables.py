"""Item tables of the public logs that are known by name: titles, categories and features."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from remi_tf.data.tables import amazon_2023
from remi_tf.data.tables.archives import Started, open_members
from remi_tf.data.tables.feature_kinds import Asked, wrong_value
from remi_tf.data.tables.json_objects import json_objects, json_rows
from remi_tf.data.tables.json_tables import text_of
from remi_tf.data.tables.labels import SEPARATOR, elements, every_element, label_text
from remi_tf.data.tables.rows import BadRow, BadRows, check_id
from remi_tf.data.tables.side_tables import Row, latin_lines
from remi_tf.data.tables.streams import read_blocks

GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama"),
    *("Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
TITLE_WITH_YEAR = re.compile(r"(.*\S)\s*\((\d{4})\)\s*")


def _film(title: str) -> tuple[str, str]:
    """Year and name of "Toy Story (1995)"."""
    match = TITLE_WITH_YEAR.fullmatch(title)
    return (match[2], match[1]) if match else ("", title)


def _read_u_item(path: Path, bad: BadRows) -> Iterator[Row]:
    """ml-100k's u.item: id|title|release|video|url|19 genre flags; the category is the first genre flagged."""
    for number, line in enumerate(latin_lines(path, "u.item", bad), start=1):
        fields = line.split("|")
        if len(fields) == 24:
            flagged = [genre for genre, flag in zip(GENRES, fields[5:], strict=True) if flag == "1"]
            flagged = [] if flagged[:1] == ["unknown"] else flagged
            values = [fields[1], flagged[0] if flagged else "", SEPARATOR.join(flagged), *_film(fields[1])]
            yield f"u.item line {number}", [fields[0], *values]


def _read_movies_dat(path: Path, bad: BadRows) -> Iterator[Row]:
    """ml-1m's movies.dat: id::title::genre|genre; the category is the first genre."""
    for number, line in enumerate(latin_lines(path, "movies.dat", bad), start=1):
        fields = line.split("::")
        if len(fields) == 3:
            raw_id, title, genres = fields
            yield f"movies.dat line {number}", [raw_id, title, genres.split(SEPARATOR)[0], genres, *_film(title)]


def _read_meta_books(path: Path, bad: BadRows) -> Iterator[Row]:
    """Amazon's meta_Books.json: the category is the last element of the first category path."""
    with open_members([path], bad) as members:
        for member in members:
            with member.open() as stream:
                for block in read_blocks(stream, member.label, bad, "\n", quoting=False):
                    for line, row in json_objects(block, member.label, bad):
                        text = label_text(row.get("categories"))
                        path_of, title = elements(text), label_text(row.get("title"))
                        every = SEPARATOR.join(dict.fromkeys(every_element(text)))
                        values = [title, path_of[-1] if path_of else "", every, label_text(row.get("brand")), title]
                        yield f"{member.label} line {line}", [label_text(row.get("asin")), *values]


def _read_meta_2023(path: Path, bad: BadRows) -> Iterator[Row]:
    """meta_CATEGORY.jsonl of Amazon Reviews 2023: one object a line. The category is a path, as a list."""
    with open_members([path], bad, lambda name: name in META_2023) as members:
        for member in members:
            with member.open() as file:
                stream = Started(file)
                for line, row in json_rows(stream, stream.start, member.label, bad):
                    place = f"{member.label} line {line}"
                    try:
                        yield place, _item_of_2023(row)
                    except BadRow as error:
                        bad.add(place, error)


def _item_of_2023(row: dict[str, Any]) -> list[str]:
    """Id, title, category, and the features: categories, store, price, title.

    The average rating and the number of ratings are left out: they count the whole log, later rows and targets too.

    Raises:
      BadRow: it has no id, or a text that is none.
    """
    raw_id = check_id(text_of(row, "parent_asin", "id", needed=True) or "", "parent_asin")
    texts = {name: text_of(row, name, "label", needed=False) or "" for name in ("title", "store", "price")}
    path = text_of(row, "categories", "label", needed=False) if row.get("categories") else ""
    price = texts["price"] if wrong_value("number", texts["price"]) is None else ""  # "—", "None", "from 9.99"
    return [raw_id, texts["title"], path or "", path or "", texts["store"], price, texts["title"]]


META_2023 = tuple(amazon_2023.tables(category)[1] for category in amazon_2023.CATEGORIES)
READERS = {"u.item": _read_u_item, "movies.dat": _read_movies_dat, "meta_Books.json": _read_meta_books}
READERS |= dict.fromkeys(META_2023, _read_meta_2023)
OF_FILMS = (Asked("genres", "multi"), Asked("year", "number"), Asked("title", "text"))
FEATURES = {
    "u.item": OF_FILMS,
    "movies.dat": OF_FILMS,
    "meta_Books.json": (Asked("categories", "multi"), Asked("brand", "category"), Asked("title", "text")),
    **dict.fromkeys(
        META_2023,
        (Asked("categories", "multi"), Asked("store", "category"), Asked("price", "number"), Asked("title", "text")),
    ),
}
"""What the readers yield after id, title and category."""
WITH_PATHS = frozenset(META_2023)
"""Tables whose category is a path, of which --category_level takes an element; others have one category each."""
