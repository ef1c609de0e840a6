"""Item tables: titles and categories in a file of their own, next to the log."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from remi_tf.data.tables.archives import open_members
from remi_tf.data.tables.ids import matched
from remi_tf.data.tables.json_objects import json_objects
from remi_tf.data.tables.labels import SEPARATOR, CategoryChoice, choose_categories, elements, label_text, title_of
from remi_tf.data.tables.layouts import TextForm, find_column
from remi_tf.data.tables.raw_log import RawLog
from remi_tf.data.tables.rows import BadRows
from remi_tf.data.tables.side_tables import joined_note, latin_lines, nothing_joined, rows_beside, table_rows
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

    choice: which element of a category that is a list or path counts.
    """

    id: str | None = None
    title: str | None = None
    category: str | None = None
    choice: CategoryChoice = field(default_factory=CategoryChoice)


Labels = tuple[str, str, str]  # raw item id, title or "", category or ""


def add_item_table(
    log: RawLog, path: str | Path, columns: ItemColumns, item_column: str | None, form: TextForm | None, bad: BadRows
) -> None:
    """Put the titles and categories of a table (text with a header, JSON lines or Parquet) into `log`.

    Raises:
      InputError: the file or a column is missing, or a bad row under the policy `stop`.
    """
    name = Path(path).name
    _fill(log, _read_table(path, columns, item_column, form, bad), name, columns.choice)


def add_tables_beside(log: RawLog, source: Source, inputs: list[Path], bad: BadRows) -> None:
    """Use the item table that is next to a named source's log, or in its archive, if there is one."""
    found = rows_beside(READERS, source.beside, inputs, bad)
    if found:
        _fill(log, found[1], found[0], None)


def settle_labels(log: RawLog, choice: CategoryChoice) -> None:
    """Make one title and one category each of the columns of the log itself, which may hold lists and paths."""
    log.titles = {raw_id: title_of(text) for raw_id, text in log.titles.items()}
    log.categories, notes = choose_categories(log.categories, choice)
    log.notes += notes


def _fill(log: RawLog, rows: Iterable[Labels], name: str, choice: CategoryChoice | None) -> None:
    """`choice`: None where the categories are chosen already."""
    known = dict.fromkeys(log.item_ids.to_pylist())
    table = list(rows)
    described: set[str] = set()
    unknown, categories = [], dict[str, str]()
    for raw_id, (_, title, category) in zip(matched([row[0] for row in table], known), table, strict=True):
        if raw_id not in known:
            if raw_id:
                unknown.append(raw_id)
            continue
        described.add(raw_id)
        if title.strip():
            log.titles.setdefault(raw_id, title if choice is None else title_of(title))
        if category.strip():
            categories.setdefault(raw_id, category)
    log.files.append({"file": name, "holds": "item table"})
    if not described:
        raise nothing_joined(name, "an item", "--items_id_col", unknown, known)
    log.notes.append(joined_note(name, "items", described, unknown, known))
    if choice is not None:
        categories, notes = choose_categories(categories, choice)
        log.notes += notes
    for raw_id, category in categories.items():
        log.categories.setdefault(raw_id, category)


def _read_table(
    path: str | Path, columns: ItemColumns, item_column: str | None, form: TextForm | None, bad: BadRows
) -> Iterator[Labels]:
    def pick(names: list[str], label: str) -> list[int | None]:
        return _find_columns(names, columns, item_column, label)

    for _, (raw_id, title, category) in table_rows(path, pick, form, "item table", bad):
        yield raw_id, title, category


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
    if title is None and category is None:
        raise InputError(
            f"{label}: no title or category among {', '.join(map(repr, names))}; "
            "name it with --items_title_col or --items_category_col"
        )
    return [identity, title, category]


def _read_u_item(path: Path, bad: BadRows) -> Iterator[Labels]:
    """ml-100k's u.item: id|title|release|video|url|19 genre flags; the category is the first genre flagged."""
    for line in latin_lines(path, "u.item", bad):
        fields = line.split("|")
        if len(fields) == 24:
            flagged = [genre for genre, flag in zip(GENRES, fields[5:], strict=True) if flag == "1"]
            yield fields[0], fields[1], flagged[0] if flagged and flagged[0] != "unknown" else ""


def _read_movies_dat(path: Path, bad: BadRows) -> Iterator[Labels]:
    """ml-1m's movies.dat: id::title::genre|genre; the category is the first genre."""
    for line in latin_lines(path, "movies.dat", bad):
        fields = line.split("::")
        if len(fields) == 3:
            yield fields[0], fields[1], fields[2].split(SEPARATOR)[0]


def _read_meta_books(path: Path, bad: BadRows) -> Iterator[Labels]:
    """Amazon's meta_Books.json: the category is the last element of the first category path."""
    with open_members([path], bad) as members:
        for member in members:
            with member.open() as stream:
                for block in read_blocks(stream, member.label, bad, "\n", quoting=False):
                    for _, row in json_objects(block, member.label, bad):
                        path_of = elements(label_text(row.get("categories")))
                        title = label_text(row.get("title"))
                        yield label_text(row.get("asin")), title, path_of[-1] if path_of else ""


READERS = {"u.item": _read_u_item, "movies.dat": _read_movies_dat, "meta_Books.json": _read_meta_books}
