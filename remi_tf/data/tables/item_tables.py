"""Item tables: titles and categories in a file of their own, next to the log."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from remi_tf.data.tables.json_tables import json_objects
from remi_tf.data.tables.layouts import find_column
from remi_tf.data.tables.raw_log import RawLog
from remi_tf.data.tables.rows import BadRows
from remi_tf.data.tables.side_tables import LIST_SEPARATOR, latin_lines, rows_beside, table_rows
from remi_tf.data.tables.sources import Source
from remi_tf.data.tables.streams import open_members, read_blocks
from remi_tf.errors import InputError

TITLE_NAMES = ("title", "name", "item_title")
CATEGORY_NAMES = ("category", "categories", "genre", "genres", "class")
GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama"),
    *("Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)


@dataclass(frozen=True)
class ItemColumns:
    """Columns of an item table; None = a column with a usual name (id: the log's item column, else the first)."""

    id: str | None = None
    title: str | None = None
    category: str | None = None


Labels = tuple[str, str, str]  # raw item id, title or "", category or ""


def add_item_table(
    log: RawLog, path: str | Path, columns: ItemColumns, item_column: str | None, separator: str | None, bad: BadRows
) -> None:
    """Put the titles and categories of a table (text with a header, JSON lines or Parquet) into `log`.

    Raises:
      InputError: the file or a column is missing, or a bad row under the policy `stop`.
    """
    _fill(log, _read_table(path, columns, item_column, separator, bad), Path(path).name)


def add_tables_beside(log: RawLog, source: Source, inputs: list[Path], bad: BadRows) -> None:
    """Use the item table that is next to a named source's log, or in its archive, if there is one."""
    found = rows_beside(READERS, source.beside, inputs, bad)
    if found:
        _fill(log, iter(found[1]), found[0])


def _fill(log: RawLog, rows: Iterator[Labels], name: str) -> None:
    known = set(log.item_ids.to_pylist())
    found = 0
    for raw_id, title, category in rows:
        if raw_id in known:
            found += 1
            if title.strip():
                log.titles.setdefault(raw_id, title)
            if category.strip():
                log.categories.setdefault(raw_id, category)
    log.files.append({"file": name, "holds": "item table"})
    log.notes.append(f"{name} describes {found:,} of the log's {len(known):,} items")
    if not found:
        raise InputError(f"{name}: none of its ids is an item of the log; check --items_id_col")


def _read_table(
    path: str | Path, columns: ItemColumns, item_column: str | None, separator: str | None, bad: BadRows
) -> Iterator[Labels]:
    def pick(names: list[str], label: str) -> list[int | None]:
        return _find_columns(names, columns, item_column, label)

    for _, (raw_id, title, category) in table_rows(path, pick, separator, "item table", bad):
        yield raw_id, title, category.split(LIST_SEPARATOR)[0]  # of several the first is taken


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
            yield fields[0], fields[1], fields[2].split(LIST_SEPARATOR)[0]


def _read_meta_books(path: Path, bad: BadRows) -> Iterator[Labels]:
    """Amazon's meta_Books.json: the category is the last element of the first category path."""
    with open_members([path], bad) as members:
        for member in members:
            with member.open() as stream:
                for block in read_blocks(stream, member.label, bad, "\n", quoting=False):
                    for _, row in json_objects(block, member.label, bad):
                        paths = row.get("categories") or [[]]
                        yield str(row.get("asin", "")), str(row.get("title", "")), str(paths[0][-1]) if paths[0] else ""


READERS = {"u.item": _read_u_item, "movies.dat": _read_movies_dat, "meta_Books.json": _read_meta_books}
