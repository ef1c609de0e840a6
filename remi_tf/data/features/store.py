"""Features of items as flat arrays, and their files.

  item_features.json          the columns, in order
  item_values_C.txt           the values of column C, one per line, where it has some
  item_codes.npy              [n] int32 codes of all items end to end: of each item the codes of column 0, 1, …
  item_code_offsets.npy       [rows · columns + 1] int64: row r has offsets[r · columns + c] … of column c
  item_vectors_C.npy          [rows, width] float32 of a column that holds vectors; 0 where there is none

Row 0 is padding: all of its values are missing. A code in item_codes.npy is a row of one table for all columns: those
of column c begin where those of the columns before it end.
"""

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from remi_tf.data.features.columns import FIRST, MISSING, FeatureColumn
from remi_tf.data.tables.feature_tables import as_vector
from remi_tf.errors import InputError
from remi_tf.files import write_json
from remi_tf.flat_files import open_array, read_lines, save_array, write_lines

FEATURES, CODES, OFFSETS = "item_features.json", "item_codes.npy", "item_code_offsets.npy"
VERSION = 1
Values = Sequence[str] | np.ndarray  # of one column: texts, or vectors [rows, width] with NaN where one is missing


@dataclass(frozen=True, repr=False)
class Features:
    """What is known of some rows.

    codes: [n] int32; offsets: [rows · columns + 1] int64; vectors: column → [rows, width] float32.
    """

    columns: tuple[FeatureColumn, ...]
    codes: np.ndarray
    offsets: np.ndarray
    vectors: dict[int, np.ndarray] = field(default_factory=dict)

    @property
    def num_rows(self) -> int:
        return (len(self.offsets) - 1) // len(self.columns)

    @cached_property
    def starts(self) -> np.ndarray:
        """[columns + 1] int64: the first code of each column, and the number of all codes."""
        return np.concatenate([[0], np.cumsum([column.size for column in self.columns])])

    @cached_property
    def known(self) -> np.ndarray:
        """[rows] bool: rows of which something is known: a value that a column has a code for, or a vector."""
        is_vector = np.array([column.kind == "vector" for column in self.columns])
        code = self.codes - self.starts[self._column_of_codes]
        says = (code >= FIRST) | (is_vector[self._column_of_codes] & (code != MISSING))
        has = np.add.reduceat(says, self.offsets[:-1])  # every column of every row has a code
        return np.asarray(has.reshape(-1, len(self.columns)).any(axis=1))

    @property
    def _column_of_codes(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.offsets) - 1) % len(self.columns), np.diff(self.offsets))

    def followed_by(self, others: "Features") -> "Features":
        """These rows, then those of `others`, which have the same columns."""
        offsets = np.concatenate([self.offsets, others.offsets[1:] + len(self.codes)])
        vectors = {column: np.concatenate([rows, others.vectors[column]]) for column, rows in self.vectors.items()}
        return Features(self.columns, np.concatenate([self.codes, others.codes]), offsets, vectors)

    def save(self, folder: Path) -> None:
        """Write the files of the module's docstring."""
        write_json(folder / FEATURES, {"format_version": VERSION, "columns": [each.to_json() for each in self.columns]})
        for number, column in enumerate(self.columns):
            if column.values:
                write_lines(folder / _values_file(number), column.values)
        arrays: dict[str, np.ndarray] = {CODES: self.codes.astype(np.int32), OFFSETS: self.offsets.astype(np.int64)}
        arrays |= {_vectors_file(number): rows.astype(np.float32) for number, rows in self.vectors.items()}
        for name, values in arrays.items():
            save_array(folder / name, values)


def load_features(folder: Path) -> Features | None:
    """What `Features.save` wrote, memory-mapped; None where there are no features.

    Raises:
      InputError: a file that is not as it was written.
    """
    if not (folder / FEATURES).is_file():
        return None
    columns = read_columns(folder)
    arrays = {name: open_array(folder / name) for name in (CODES, OFFSETS)}
    vectors = {
        number: open_array(folder / _vectors_file(number))
        for number, column in enumerate(columns)
        if column.kind == "vector"
    }
    return Features(columns, arrays[CODES], arrays[OFFSETS], vectors)


def check_features(folder: Path, rows: int) -> None:
    """Raise InputError unless the arrays in `folder`, if there are any, are those of so many rows."""
    features = load_features(folder)
    if features is None:
        return
    sizes = {number: column.width for number, column in enumerate(features.columns) if column.kind == "vector"}
    right = len(features.offsets) == rows * len(features.columns) + 1 and features.offsets[-1] == len(features.codes)
    right &= all(features.vectors[number].shape == (rows, width) for number, width in sizes.items())
    if not right:
        raise InputError(
            f"{folder / FEATURES}: the arrays are not those of {rows - 1:,} items; prepare the dataset again"
        )


def read_columns(folder: Path) -> tuple[FeatureColumn, ...]:
    """The columns of the features in a folder.

    Raises:
      InputError: as of `load_features`.
    """
    path = folder / FEATURES
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format_version"] != VERSION:
            raise ValueError(f"format version {content['format_version']}, this remi_tf reads {VERSION}")
        return tuple(
            FeatureColumn.from_json(column, _read_values(folder / _values_file(number)))
            for number, column in enumerate(content["columns"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not the features that prepare wrote ({error}); prepare the dataset again") from error


def feature_files(folder: Path) -> list[str]:
    """The names of the files that hold the features of a folder; empty where there are none."""
    if not (folder / FEATURES).is_file():
        return []
    names = [FEATURES, CODES, OFFSETS]
    for number, column in enumerate(read_columns(folder)):
        names += [_values_file(number)] if column.values else []
        names += [_vectors_file(number)] if column.kind == "vector" else []
    return names


def code_rows(columns: Sequence[FeatureColumn], values: Sequence[Values], names: Sequence[str]) -> Features:
    """The features of items from their raw values.

    Args:
      values: of each column, those of the items in order.
      names: what the items are called in a message.

    Raises:
      InputError: a value that its column cannot hold; the message has the item, the column and the value.
    """
    of_columns, lengths = [], np.ones([len(names), len(columns)], np.int64)
    vectors: dict[int, np.ndarray] = {}
    for number, (column, given) in enumerate(zip(columns, values, strict=True)):
        if column.kind == "vector":
            rows = _vectors(column, given, names)
            there = np.isfinite(rows).all(axis=1)
            rows *= column.scale
            rows[~there] = 0
            vectors[number] = rows
            of_columns.append(np.where(there, MISSING + 1, MISSING))
        else:
            codes, lengths[:, number] = _codes(column, given, names)
            of_columns.append(codes)
    return _interleaved(columns, of_columns, lengths, vectors)


def _interleaved(
    columns: Sequence[FeatureColumn],
    of_columns: Sequence[np.ndarray],
    lengths: np.ndarray,
    vectors: dict[int, np.ndarray],
) -> Features:
    """The codes of each column end to end, and [rows, columns] how many each row has → all of row 0, 1, …"""
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    found = np.empty(offsets[-1], np.int32)
    start = 0
    for number, (column, codes) in enumerate(zip(columns, of_columns, strict=True)):
        own = lengths[:, number]
        shifts = offsets[number :: len(columns)][: len(own)] - (np.cumsum(own) - own)
        found[np.repeat(shifts, own) + np.arange(len(codes))] = start + codes
        start += column.size
    return Features(tuple(columns), found, offsets, vectors)


def padding(columns: Sequence[FeatureColumn]) -> Features:
    """Row 0: every value is missing."""
    nothing = [np.full([1, column.width], np.nan) if column.kind == "vector" else [""] for column in columns]
    return code_rows(columns, nothing, [""])


def _codes(column: FeatureColumn, texts: Values, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The codes of all texts end to end, and how many each has."""
    known: dict[str, list[int]] = {}
    repeats = column.kind != "text"  # texts are mostly different: remembering them takes memory only
    codes, lengths = array("i"), array("i")
    for text, name in zip(texts, names, strict=True):
        own = known.get(text)
        if own is None:
            try:
                own = column.codes(text)
            except ValueError as error:
                raise InputError(f"item {name!r}: {column.name} ({column.kind}): {error}") from error
            if repeats:
                known[text] = own
        codes.extend(own)
        lengths.append(len(own))
    return np.array(codes, np.int32), np.array(lengths, np.int32)


def _vectors(column: FeatureColumn, given: Values, names: Sequence[str]) -> np.ndarray:
    """[rows, width] float32 of its own, NaN where there is none."""
    if isinstance(given, np.ndarray):
        if given.shape[1] != column.width:
            raise InputError(f"{column.name}: vectors of {given.shape[1]} numbers, where the column has {column.width}")
        return np.array(given, np.float32)
    rows = np.empty([len(names), column.width], np.float32)
    for row, (text, name) in enumerate(zip(given, names, strict=True)):
        try:
            vector = as_vector(text, column.width)
        except ValueError as error:
            raise InputError(f"item {name!r}: {column.name} (vector): {error}") from error
        rows[row] = np.nan if vector is None else vector
    return rows


def _values_file(number: int) -> str:
    return f"item_values_{number}.txt"


def _vectors_file(number: int) -> str:
    return f"item_vectors_{number}.npy"


def _read_values(path: Path) -> list[str]:
    return read_lines(path) if path.exists() else []
