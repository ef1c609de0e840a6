"""Logs with one row a user: the history in one field, as a list or as text → a row for each item."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from remi_tf.data.tables.ids import NotAnId, id_text
from remi_tf.data.tables.labels import printed
from remi_tf.data.tables.raw_log import Chunk, encode
from remi_tf.data.tables.rows import BadRow, BadRows, parse_time

SEPARATORS = ("|", ",", ";")
"""Tried in this order; a column that has none of them is separated by white space."""


def values_of(text: str, separator: str | None) -> list[Any]:
    """The values of a field: of a list as JSON or Python prints it, else the text between separators."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        shown = printed(text)
        if isinstance(shown, list):
            return shown
        text = text[1:-1]  # numpy prints numbers with white space between them
        separator = "," if "," in text else None
    return [part.strip() for part in text.split(separator) if part.strip()]


def separator_of(texts: list[str]) -> str | None:
    """What separates the values of a column, None for white space."""
    plain = [text for text in texts if not text.lstrip().startswith("[")]
    return next((separator for separator in SEPARATORS if any(separator in text for text in plain)), None)


def flat_times(texts: list[str]) -> list[str]:
    """The single times of some fields, as text."""
    separator = separator_of(texts)
    return [str(value) for text in texts for value in values_of(text, separator) if value is not None]


def expand(chunk: Chunk, unit: str, bad: BadRows, label: str, first_row: int) -> Chunk:
    """A row for each item, out of a row for each user.

    Args:
      chunk: its texts are user, item (the history) and, if there are times, times.
      first_row: number of the chunk's first row in the file `label`, for messages.
    """
    users = _combined(chunk.texts["user"])
    histories = _combined(chunk.texts["item"]).cast(pa.string()).to_pylist()
    given = _combined(chunk.texts["times"]).cast(pa.string()).to_pylist() if "times" in chunk.texts else None
    separators = separator_of(histories), separator_of(given or [])
    owners, items, times = list[int](), list[str](), list[int | float]()
    for row, history in enumerate(histories):
        try:
            ids = list(_ids(values_of(history, separators[0])))
            if given is not None:
                times += _times(values_of(given[row], separators[1]), len(ids), unit)
        except BadRow as error:
            bad.add(f"{label} row {first_row + row}", error)
            continue
        items += ids
        owners += [row] * len(ids)
    codes = pa.array(users.indices.to_numpy()[np.array(owners, np.int64)])
    texts = {"user": pa.DictionaryArray.from_arrays(codes, users.dictionary), "item": encode(items)}
    return Chunk(texts, None if given is None else np.array(times, None if times else np.int64))


def _combined(column: pa.DictionaryArray | pa.ChunkedArray) -> pa.DictionaryArray:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _ids(values: list[Any]) -> Iterator[str]:
    for place, value in enumerate(values, start=1):
        try:
            text = id_text(value)
        except NotAnId as error:
            raise BadRow("not an id", f"item {place} of the history: {error}") from error
        if not text or "\n" in text or "\r" in text:
            raise BadRow("not an id", f"item {place} of the history, {text!r}, is empty or holds a line break")
        yield text


def _times(values: list[Any], wanted: int, unit: str) -> list[int | float]:
    if len(values) != wanted:
        raise BadRow("times and items differ in number", f"{len(values)} times for a history of {wanted} items")
    return [parse_time(str(value), "time", unit) for value in values]
