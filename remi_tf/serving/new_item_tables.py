"""Tables of new items, and lists of items to remove, as --add_items and --remove_items name them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from remi_tf.data.dataset.catalogue import Catalogue
from remi_tf.data.features.columns import FeatureColumn
from remi_tf.data.features.store import Values
from remi_tf.data.tables.feature_kinds import Asked
from remi_tf.data.tables.feature_tables import check_rows, read_vectors
from remi_tf.data.tables.item_tables import CATEGORY_NAMES, TITLE_NAMES
from remi_tf.data.tables.labels import elements, title_of
from remi_tf.data.tables.layouts import find_column, find_usual_column
from remi_tf.data.tables.rows import BadRows
from remi_tf.data.tables.side_tables import table_rows
from remi_tf.errors import InputError
from remi_tf.serving.new_items import NewItems

ID_NAMES = ("item_id", "item", "id", "parent_asin", "asin")


def read_new_items(table: str | Path | pd.DataFrame, catalogue: Catalogue, id_col: str | None = None) -> NewItems:
    """What a table says of items, in the feature columns of a catalogue.

    Args:
      table: text with a header, JSON lines or Parquet, plain or compressed; or a DataFrame.
      id_col: its column of raw ids; None = item_id, item, id, parent_asin or asin, else the first.

    Raises:
      InputError: the file or a column is missing, a row that cannot be read, or no row.
    """
    if not isinstance(table, str | Path | pd.DataFrame):
        raise InputError(f"new items: {type(table).__name__} is no table; give a DataFrame or the path of a file")
    if not isinstance(table, pd.DataFrame) and not Path(table).is_file():
        raise InputError(f"--add_items {table}: no such file")
    name = "the DataFrame" if isinstance(table, pd.DataFrame) else str(table)
    features = catalogue.features
    columns = () if features is None else features.columns
    arrays: dict[int, np.ndarray] = {}

    def pick(names: list[str], label: str) -> list[int | None]:
        title, category = (find_usual_column(None, usual, names, label) for usual in (TITLE_NAMES, CATEGORY_NAMES))
        of_columns: list[int | None] = []
        for number, column in enumerate(columns):
            in_array = column.kind == "vector" and column.name not in names
            if in_array and not isinstance(table, pd.DataFrame):
                arrays[number] = read_vectors(table, Asked(column.name, "vector"))
                of_columns.append(None)
            else:
                of_columns.append(_feature_column(column.name, columns, names, label))
        identity = find_usual_column(id_col, ID_NAMES, names, label)
        if identity is None and 0 in (title, category, *of_columns):
            raise InputError(
                f"{label}: no column of ids among {', '.join(map(repr, names))}; name it: --items_id_col COL"
            )
        return [identity or 0, title, category, *of_columns]

    rows = [texts for _, texts in table_rows(table, pick, None, "item table", BadRows("stop", remedy="mend it"))]
    if not rows:
        raise InputError(f"--add_items {name}: it has no row; give a row for each new item")
    if not arrays:
        rows = [list(row) for row in dict.fromkeys(map(tuple, rows))]  # a row that is there twice says nothing else
    values: list[Values] = [[row[3 + number] for row in rows] for number in range(len(columns))]
    for number, array in arrays.items():
        check_rows(array, columns[number].name, name, len(rows))
        values[number] = np.asarray(array, np.float32)
    categories = [_category(row[2], catalogue) for row in rows]
    return NewItems([row[0].strip() for row in rows], values, [title_of(row[1]) for row in rows], categories)


def _feature_column(name: str, columns: Sequence[FeatureColumn], names: list[str], label: str) -> int:
    try:
        return find_column(name, names, label)
    except InputError as error:
        needed = ", ".join(column.name for column in columns)
        raise InputError(f"{error}; new items need the columns {needed}, whose values may be empty") from error


def _category(text: str, catalogue: Catalogue) -> str:
    """The category out of a text: of a path or a list the deepest element that the catalogue knows, else the last."""
    parts = [" ".join(part.split()) for part in elements(text)]
    return next((part for part in reversed(parts) if part in catalogue.category_names), parts[-1] if parts else "")


def read_ids(path: str | Path) -> list[str]:
    """The raw ids of a text file, one per line.

    Raises:
      InputError: there is no such file, or it holds no id.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"--remove_items {path}: cannot be read ({error}); give a UTF-8 text file, one id a line"
        ) from error
    ids = [line.strip() for line in lines if line.strip()]
    if not ids:
        raise InputError(f"--remove_items {path}: it holds no id; write one raw id a line")
    return ids
