"""Feature columns of an item table: the kind of each, and whether every value is of that kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from remi_tf.data.tables.feature_kinds import Asked, date_form, guess_kind, wrong_value
from remi_tf.data.tables.labels import SEPARATOR, CategoryChoice, printed
from remi_tf.data.tables.rows import BadRow, BadRows
from remi_tf.errors import InputError

Column = Sequence[Any] | np.ndarray  # texts ("" = missing, lists as JSON), of which some may be arrays; or vectors


@dataclass
class RawFeatures:
    """Feature columns before they are coded.

    asked: the columns, with the kind that each has.
    rows: raw item id → its row in each of `values`.
    values: of each column, texts ("" = missing, lists as JSON), or [n, width] vectors, NaN where there is none.
    forms: column → how its dates are written. choice: which element of a category that is a path counts.
    """

    asked: list[Asked] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    values: list[Column] = field(default_factory=list)
    forms: dict[int, str] = field(default_factory=dict)
    choice: CategoryChoice = field(default_factory=CategoryChoice)

    def of_items(self, number: int, raw_ids: Sequence[str]) -> list[str] | np.ndarray:
        """The values of some items in one column, as `values` has them."""
        values = self.values[number]
        if not isinstance(values, np.ndarray):
            return [values[self.rows[raw_id]] if raw_id in self.rows else "" for raw_id in raw_ids]
        rows = np.array([self.rows.get(raw_id, -1) for raw_id in raw_ids], np.int64)
        found = np.full([len(rows), values.shape[1]], np.nan, np.float32)
        found[rows >= 0] = values[rows[rows >= 0]]
        return found


def read_vectors(table: str | Path, asked: Asked) -> np.ndarray:
    """[rows, width] float32 of NAME.npy next to the table.

    Raises:
      InputError: there is no such column and no such file, or it holds no vectors.
    """
    path = Path(table).with_name(f"{asked.name}.npy")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: no array that NumPy can read ({error}); write it with numpy.save") from error
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise InputError(
            f"{path}: {array.dtype} {array.shape}; a vector feature is an array [rows of the table, width]"
        )
    return array


def check_rows(array: np.ndarray, name: str, table: str, rows: int) -> None:
    """Raise InputError unless the array of NAME.npy has as many rows as the table next to it."""
    if len(array) != rows:
        raise InputError(f"{table}: {rows:,} rows, and {name}.npy next to it has {len(array):,}; they must match")


def settle(
    asked: Sequence[Asked],
    columns: Sequence[Column],
    rows: dict[str, int],
    places: Sequence[str],
    choice: CategoryChoice,
    bad: BadRows,
) -> tuple[RawFeatures, list[str]]:
    """Decide the kinds that were not said, and take bad values out of `rows`. Returns what is to be said, too.

    Args:
      columns: of the whole table. rows: raw item id → its row there. places: file and line of each row.

    Raises:
      InputError: a value that is not of its kind, under the policy `stop`; dates of no known form.
    """
    raw = RawFeatures(rows=rows, choice=choice)
    guessed = []
    for number, (each, column) in enumerate(zip(asked, columns, strict=True)):
        kind = each.kind or _guess(column, rows, choice)
        if not each.kind:
            guessed.append(f"{each.name}:{kind}")
        if kind == "vector":
            column = _vectors(each.name, column, rows, places, bad)
        elif kind in ("number", "date"):
            if kind == "date" and (texts := _texts(column, rows)):
                raw.forms[number] = date_form(f"{places[0].rsplit(' ', 2)[0]}: {each.name}", texts)
            _check(each.name, kind, raw.forms.get(number, "iso"), column, rows, places, bad)
        raw.asked.append(Asked(each.name, kind))
        raw.values.append(column)
    notes = [f"kinds of features guessed; to say them: --item_features {','.join(guessed)}"] if guessed else []
    return raw, notes


def _texts(column: Column, rows: dict[str, int]) -> list[Any]:
    """The values that are there."""
    values = (column[row] for row in rows.values())
    return [value for value in values if not isinstance(value, str) or value.strip()]


def _guess(column: Column, rows: dict[str, int], choice: CategoryChoice) -> str:
    return (
        "vector" if isinstance(column, np.ndarray) else guess_kind(_texts(column, rows), choice.separator or SEPARATOR)
    )


def _check(
    name: str, kind: str, form: str, column: Column, rows: dict[str, int], places: Sequence[str], bad: BadRows
) -> None:
    """Take the rows with a number or a date that is none out of `rows`."""
    verdicts: dict[str, str | None] = {"": None}

    def wrong(row: int) -> str | None:
        text = column[row].strip()
        if text not in verdicts:
            verdicts[text] = wrong_value(kind, text, form)
        return verdicts[text]

    _leave_out(wrong, name, kind, rows, places, bad)


def _leave_out(
    wrong: Callable[[int], str | None], name: str, kind: str, rows: dict[str, int], places: Sequence[str], bad: BadRows
) -> None:
    found = [(raw_id, row, message) for raw_id, row in rows.items() if (message := wrong(row)) is not None]
    for raw_id, row, message in found:
        bad.add(places[row], BadRow(f"item table: no {kind}", f"{name}: {message}"))
        del rows[raw_id]


def _vectors(name: str, column: Column, rows: dict[str, int], places: Sequence[str], bad: BadRows) -> np.ndarray:
    """[rows of the table, width] float32, NaN where there is none; rows whose value is none are left out of `rows`."""
    if isinstance(column, np.ndarray):
        return column
    vectors: dict[int, np.ndarray] = {}
    width = 0

    def wrong(row: int) -> str | None:
        nonlocal width
        try:
            vector = as_vector(column[row], width)
        except ValueError as error:
            return str(error)
        if vector is None:
            return None
        width = len(vector)
        vectors[row] = vector
        return None

    _leave_out(wrong, name, "vector", rows, places, bad)
    found = np.full([len(column), width], np.nan, np.float32)
    for row, vector in vectors.items():
        found[row] = vector
    return found


def as_vector(value: str | np.ndarray, width: int = 0) -> np.ndarray | None:
    """[width] float32 of an array or of a list as text; None where it is missing. width: 0 = any.

    Raises:
      ValueError: no list of numbers, one that is not finite, or another length.
    """
    if isinstance(value, str):
        if not value.strip():
            return None
        listed = printed(value.strip())
        if not isinstance(listed, list | tuple) or not all(type(each) in (int, float) for each in listed):
            raise ValueError(f"{value[:40]!r} is no list of numbers")
        value = np.array(listed)
    with np.errstate(over="ignore"):
        vector = value.astype(np.float32)
    if not np.isfinite(vector).all():
        raise ValueError("a vector with a number that is not finite")
    if len(vector) and width and len(vector) != width:
        raise ValueError(f"a vector of {len(vector)} numbers, where others have {width}")
    return vector if len(vector) else None
