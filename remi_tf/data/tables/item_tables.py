"""Item tables: titles, categories and features in a file of their own, next to the log."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from remi_tf.data.tables.archives import bare_name
from remi_tf.data.tables.feature_kinds import Asked
from remi_tf.data.tables.feature_tables import check_rows, read_vectors, settle
from remi_tf.data.tables.ids import matched
from remi_tf.data.tables.labels import CategoryChoice, choose_categories, title_of
from remi_tf.data.tables.layouts import TextForm, find_column, find_usual_column
from remi_tf.data.tables.raw_log import RawLog
from remi_tf.data.tables.rows import BadRow, BadRows
from remi_tf.data.tables.side_tables import Row, joined_note, nothing_joined, rows_beside, table_name, table_rows
from remi_tf.data.tables.source_tables import FEATURES, READERS, WITH_PATHS
from remi_tf.data.tables.sources import Source
from remi_tf.errors import InputError

TITLE_NAMES = ("title", "name", "item_title")
CATEGORY_NAMES = ("category", "categories", "genre", "genres", "class")


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


@dataclass
class _Table:
    """A table by its columns. places: file and line of each row; columns: ids, titles, categories, features."""

    name: str
    places: list[str]
    columns: list[list]

    @classmethod
    def read(cls, name: str, rows: Iterable[Row], features: int) -> "_Table":
        table = cls(name, [], [[] for _ in range(3 + features)])
        for place, values in rows:
            table.places.append(place)
            for column, value in zip(table.columns, values, strict=True):
                column.append(value)
        return table


def add_item_table(
    log: RawLog,
    path: str | Path | pd.DataFrame,
    columns: ItemColumns,
    item_column: str | None,
    form: TextForm | None,
    bad: BadRows,
) -> None:
    """Put the titles, categories and features of a table into `log`.

    Args:
      path: text with a header, JSON lines or Parquet; a table that a named source brings; or a DataFrame.

    Raises:
      InputError: the file or a column is missing, or a bad row under the policy `stop`.
    """
    name = table_name(path, "the item table")
    if not isinstance(path, pd.DataFrame) and bare_name(name) in READERS:
        rows = READERS[bare_name(name)](Path(path), bad)
        return _add_named(log, name, rows, columns, bad)
    arrays: dict[int, np.ndarray] = {}

    def pick(names: list[str], label: str) -> list[int | None]:
        found = _find_columns(names, columns, item_column, label)
        for number, asked in enumerate(columns.features):
            array = _vectors_beside(path, asked, names)
            if array is not None:
                arrays[number] = array
            found.append(find_column(asked.name, names, label) if array is None else None)
            if found[-1] is not None and found[-1] == found[0]:
                raise InputError(
                    f"{label}: --item_features {asked.name}: that is the column of the ids, which models read in any "
                    "case; leave it out"
                )
        return found

    vectors = [asked.name for asked in columns.features if asked.kind in ("", "vector")]
    read = table_rows(path, pick, form, "item table", bad, vectors)
    _fill(log, _Table.read(name, read, len(columns.features)), columns, arrays, bad)


def add_tables_beside(
    log: RawLog,
    source: Source,
    inputs: list[Path],
    bad: BadRows,
    asked: tuple[Asked, ...] | None = None,
    choice: CategoryChoice | None = None,
) -> None:
    """Use the item table that is next to a named source's log, or in its archive, if there is one.

    Args:
      asked: the features to take from it, None = all that it has.
      choice: which element of a category that is a path counts.

    Raises:
      InputError: features were asked for, and there is no such table or column.
    """
    found = rows_beside(READERS, source.beside, inputs, bad)
    if found:
        features = FEATURES[bare_name(found[0])] if asked is None else asked
        columns = ItemColumns(choice=choice or CategoryChoice(), features=features)
        _add_named(log, *found, columns, bad, only_there=asked is None)
    elif asked:
        wanted = " or ".join(source.beside) or "an item table"
        raise InputError(
            f"--item_features {asked[0].name}: {wanted} of {source.name} is not next to the log; put it there, or add "
            "--items TABLE"
        )
    elif source.beside:
        log.notes.append(f"no titles, categories or features: {' or '.join(source.beside)} is not next to the log")


def _vectors_beside(path: str | Path | pd.DataFrame, asked: Asked, names: list[str]) -> np.ndarray | None:
    """The array of a vector feature that stands next to the table, None if there is none."""
    if isinstance(path, pd.DataFrame) or asked.name in names or asked.kind not in ("", "vector"):
        return None
    return read_vectors(path, asked) if Path(path).with_name(f"{asked.name}.npy").is_file() else None


def _add_named(
    log: RawLog, name: str, rows: Iterable[Row], columns: ItemColumns, bad: BadRows, only_there: bool = False
) -> None:
    """Use rows of a reader in READERS. only_there: features that none of them has are left out."""
    known = FEATURES[bare_name(name)]
    read = _Table.read(name, rows, len(known))
    names = [each.name for each in known]
    places = [find_column(asked.name, names, name) for asked in columns.features]
    if only_there:
        places = [place for place in places if any(read.columns[3 + place])]
        columns = replace(columns, features=tuple(known[place] for place in places))
    features = [asked if asked.kind else known[place] for asked, place in zip(columns.features, places, strict=True)]
    table = _Table(name, read.places, [*read.columns[:3], *(read.columns[3 + place] for place in places)])
    has_paths = bare_name(name) in WITH_PATHS
    columns = ItemColumns(choice=columns.choice if has_paths else CategoryChoice(), features=tuple(features))
    _fill(log, table, columns, {}, bad, categories_chosen=not has_paths)


def settle_labels(log: RawLog, choice: CategoryChoice) -> None:
    """Make one title and one category each of the columns of the log itself, which may hold lists and paths."""
    log.titles = {raw_id: title_of(text) for raw_id, text in log.titles.items()}
    log.categories, notes = choose_categories(log.categories, choice)
    log.notes += notes


def _fill(
    log: RawLog,
    table: _Table,
    columns: ItemColumns,
    arrays: dict[int, np.ndarray],
    bad: BadRows,
    categories_chosen: bool = False,
) -> None:
    """arrays: features that stand next to the table. categories_chosen: there is one category for each already."""
    for number, array in arrays.items():
        check_rows(array, columns.features[number].name, table.name, len(table.places))
    rows = _joined(log, table, bad)
    log.files.append({"file": table.name, "holds": "item table"})
    if columns.features:
        values = [arrays.get(number, column) for number, column in enumerate(table.columns[3:])]
        features, notes = settle(columns.features, values, rows, table.places, columns.choice, bad)
        log.features = features
        log.notes += notes
    _, titles, categories = table.columns[:3]
    for raw_id, row in rows.items():
        if titles[row].strip():
            log.titles.setdefault(raw_id, titles[row] if categories_chosen else title_of(titles[row]))
    texts = {raw_id: categories[row] for raw_id, row in rows.items() if categories[row].strip()}
    if not categories_chosen:
        texts, notes = choose_categories(texts, columns.choice)
        log.notes += notes
    for raw_id, category in texts.items():
        log.categories.setdefault(raw_id, category)


def _joined(log: RawLog, table: _Table, bad: BadRows) -> dict[str, int]:
    """Raw item id → its row in the table, of the items that the log has.

    Raises:
      InputError: there are none, or (under `stop`) an item has two rows that differ.
    """
    known = dict.fromkeys(log.item_ids.to_pylist())
    rows: dict[str, int] = {}
    unknown = []
    for row, raw_id in enumerate(matched(table.columns[0], known)):
        if raw_id not in known:
            unknown.append(raw_id)
        elif raw_id not in rows:
            rows[raw_id] = row
        elif any(not _same(column[row], column[rows[raw_id]]) for column in table.columns[1:]):
            message = f"item {raw_id!r} stands in {table.places[rows[raw_id]]} already, with other values"
            bad.add(table.places[row], BadRow("item table: an item twice", message))
    if not rows:
        raise nothing_joined(table.name, "an item", "--items_id_col", unknown, known)
    note = joined_note(table.name, "items", rows, unknown, known)
    strangers = len({raw_id for raw_id in unknown if raw_id})
    log.notes.append(f"{note}; {strangers:,} of the table's items are not in the log" if strangers else note)
    return rows


def _same(one: str | np.ndarray, other: str | np.ndarray) -> bool:
    return bool(np.array_equal(one, other)) if isinstance(one, np.ndarray) else bool(np.all(one == other))


def _find_columns(names: list[str], columns: ItemColumns, item_column: str | None, label: str) -> list[int | None]:
    """Indexes of id, title and category; by usual names where they are not given."""
    if columns.id is not None:
        identity: int = find_column(columns.id, names, label)
    else:
        identity = names.index(item_column) if item_column in names else 0
    title = find_usual_column(columns.title, TITLE_NAMES, names, label)
    category = find_usual_column(columns.category, CATEGORY_NAMES, names, label)
    if title is None and category is None and not columns.features:
        raise InputError(
            f"{label}: no title or category among {', '.join(map(repr, names))}; "
            "name it with --items_title_col or --items_category_col"
        )
    return [identity, title, category]
