"""Item tables: titles, categories and features in a file of their own, next to the log."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from remi_tf.data.tables.archives import bare_name, open_members
from remi_tf.data.tables.feature_tables import Asked, RawFeatures, parse_features, read_vectors, settle
from remi_tf.data.tables.ids import matched
from remi_tf.data.tables.json_objects import json_objects
from remi_tf.data.tables.labels import SEPARATOR, CategoryChoice, choose_categories, elements, label_text, title_of
from remi_tf.data.tables.layouts import TextForm, find_column
from remi_tf.data.tables.raw_log import RawLog
from remi_tf.data.tables.rows import BadRow, BadRows
from remi_tf.data.tables.side_tables import Row, joined_note, latin_lines, nothing_joined, rows_beside, table_rows
from remi_tf.data.tables.sources import Source
from remi_tf.data.tables.streams import read_blocks
from remi_tf.errors import InputError

TITLE_NAMES = ("title", "name", "item_title")
CATEGORY_NAMES = ("category", "categories", "genre", "genres", "class")
GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama"),
    *("Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)


@dataclass(frozen=True)
class ItemColumns:
    """Columns of an item table; None = by their usual names (id: the log's item column, else the first).

    choice: which element of a category that is a list or path counts. features: columns that are to be features.
    """

    id: str | None = None
    title: str | None = None
    category: str | None = None
    choice: CategoryChoice = field(default_factory=CategoryChoice)
    features: tuple[Asked, ...] = ()


TITLE_WITH_YEAR = re.compile(r"(.*\S)\s*\((\d{4})\)\s*")


def add_item_table(
    log: RawLog, path: str | Path, columns: ItemColumns, item_column: str | None, form: TextForm | None, bad: BadRows
) -> None:
    """Put the titles and categories of a table (text with a header, JSON lines or Parquet) into `log`.

    Raises:
      InputError: the file or a column is missing, or a bad row under the policy `stop`.
    """
    name = Path(path).name
    arrays: dict[int, np.ndarray] = {}

    def pick(names: list[str], label: str) -> list[int | None]:
        found = _find_columns(names, columns, item_column, label)
        for number, asked in enumerate(columns.features):
            beside = Path(path).with_name(f"{asked.name}.npy")
            if asked.name not in names and asked.kind in ("", "vector") and beside.is_file():
                arrays[number] = read_vectors(path, asked)
                found.append(None)
            else:
                found.append(find_column(asked.name, names, label))
        return found

    _fill(log, list(table_rows(path, pick, form, "item table", bad)), name, columns, arrays, bad)


def add_tables_beside(log: RawLog, source: Source, inputs: list[Path], bad: BadRows, with_features: bool) -> None:
    """Use the item table that is next to a named source's log, or in its archive, if there is one."""
    found = rows_beside(READERS, source.beside, inputs, bad)
    if found:
        features = tuple(parse_features(FEATURES[bare_name(found[0])]))
        chosen = ItemColumns(features=features if with_features else ())
        _fill(log, found[1], found[0], chosen, {}, bad, categories_chosen=True)


def settle_labels(log: RawLog, choice: CategoryChoice) -> None:
    """Make one title and one category each of the columns of the log itself, which may hold lists and paths."""
    log.titles = {raw_id: title_of(text) for raw_id, text in log.titles.items()}
    log.categories, notes = choose_categories(log.categories, choice)
    log.notes += notes


def _fill(
    log: RawLog,
    table: list[Row],
    name: str,
    columns: ItemColumns,
    arrays: dict[int, np.ndarray],
    bad: BadRows,
    categories_chosen: bool = False,
) -> None:
    """Rows hold the id, title, category and features. categories_chosen: there is one category for each already."""
    known = dict.fromkeys(log.item_ids.to_pylist())
    described: dict[str, tuple[str, list[str]]] = {}
    unknown, categories = [], dict[str, str]()
    features, wanted = RawFeatures(arrays=arrays), len(columns.features)
    for array in arrays.values():
        if len(array) != len(table):
            raise InputError(
                f"{name}: {len(table):,} rows, and the array next to it has {len(array):,}; they must match"
            )
    ids = matched([row[1][0] for row in table], known)
    for number, (raw_id, (place, (_, *values))) in enumerate(zip(ids, table, strict=True)):
        if raw_id not in known:
            if raw_id:
                unknown.append(raw_id)
            continue
        if raw_id in described:
            if wanted and described[raw_id][1] != values:
                before = described[raw_id][0]
                message = f"item {raw_id!r} stands in {before} already, with other values"
                bad.add(place, BadRow("item table: an item twice", message))
            continue
        described[raw_id] = (place, values)
        title, category, *texts = values
        features.rows[raw_id] = number
        features.values[raw_id] = tuple(texts[:wanted])
        if title.strip():
            log.titles.setdefault(raw_id, title if categories_chosen else title_of(title))
        if category.strip():
            categories.setdefault(raw_id, category)
    log.files.append({"file": name, "holds": "item table"})
    if not described:
        raise nothing_joined(name, "an item", "--items_id_col", unknown, known)
    log.notes.append(joined_note(name, "items", described, unknown, known))
    if not categories_chosen:
        categories, notes = choose_categories(categories, columns.choice)
        log.notes += notes
    for raw_id, category in categories.items():
        log.categories.setdefault(raw_id, category)
    if wanted:
        places = {raw_id: place for raw_id, (place, _) in described.items()}
        log.notes += settle(features, columns.features, places, columns.choice, name, bad)
        log.features = features


def _find_columns(names: list[str], columns: ItemColumns, item_column: str | None, label: str) -> list[int | None]:
    """Indexes of id, title and category; by usual names where they are not given."""

    def usual(candidates: tuple[str, ...]) -> int | None:
        lowered = [name.strip().lower() for name in names]
        return next((lowered.index(name) for name in candidates if name in lowered), None)

    if columns.id is not None:
        identity: int = find_column(columns.id, names, label)
    else:
        identity = names.index(item_column) if item_column in names else 0
    title = find_column(columns.title, names, label) if columns.title is not None else usual(TITLE_NAMES)
    category = find_column(columns.category, names, label) if columns.category is not None else usual(CATEGORY_NAMES)
    if title is None and category is None and not columns.features:
        raise InputError(
            f"{label}: no title or category among {', '.join(map(repr, names))}; "
            "name it with --items_title_col or --items_category_col"
        )
    return [identity, title, category]


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
                        path_of = elements(label_text(row.get("categories")))
                        title, category = label_text(row.get("title")), path_of[-1] if path_of else ""
                        features = [SEPARATOR.join(path_of), label_text(row.get("brand")), title]
                        yield f"{member.label} line {line}", [label_text(row.get("asin")), title, category, *features]


READERS = {"u.item": _read_u_item, "movies.dat": _read_movies_dat, "meta_Books.json": _read_meta_books}
FEATURES = {
    "u.item": "genres:multi,year:number,title:text",
    "movies.dat": "genres:multi,year:number,title:text",
    "meta_Books.json": "categories:multi,brand:category,title:text",
}
"""The features that the tables of named sources bring; their readers yield them after title and category."""
