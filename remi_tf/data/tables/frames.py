"""Columns that come with types (Parquet, DataFrame, JSON lines) → chunks."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remi_tf.data.tables.raw_log import Chunk
from remi_tf.data.tables.rows import BadRow, BadRows, bad_times, check_id, check_time, guess_unit, parse_time
from remi_tf.data.tables.units import guess_unit_of
from remi_tf.errors import InputError


class TypedReader:
    """Turns typed columns into chunks. `unit` is the log's time unit; `auto` until the first times are seen."""

    def __init__(self, bad: BadRows, unit: str):
        self.bad = bad
        self.unit = unit

    def chunk(self, columns: dict[str, pa.Array], names: dict[str, str], place: Callable[[int], str]) -> Chunk:
        """The good rows of some columns.

        Args:
          columns: key (user, item, time, …) → [n] array; names: key → the column's name, for messages.
          place: index of a row → file and row, for messages.
        """
        texts = {key: as_text(column, names[key]) for key, column in columns.items() if key != "time"}
        times = self._times(columns["time"], names["time"]) if "time" in columns else None
        if self._clean(texts, times):
            return Chunk({key: column.dictionary_encode() for key, column in texts.items()}, times)
        good = []
        for row in range(len(texts["user"])):
            try:
                for key in ("user", "item"):
                    check_id(texts[key][row].as_py() or "", names[key])
                if times is not None:
                    self._check(times[row].item(), columns["time"][row].as_py(), names["time"])
                good.append(row)
            except BadRow as error:
                self.bad.add(place(row), error)
        chosen = pa.array(good, pa.int64())
        kept = {key: column.take(chosen).dictionary_encode() for key, column in texts.items()}
        return Chunk(kept, None if times is None else times[good])

    def _clean(self, texts: dict[str, pa.Array], times: np.ndarray | None) -> bool:
        for key in ("user", "item"):
            column = texts[key]
            if column.null_count or pc.any(pc.equal(pc.utf8_trim_whitespace(column), "")).as_py():
                return False
            if pc.any(pc.match_substring_regex(column, r"[\r\n]")).as_py():
                return False
        return times is None or not bad_times(times, self.unit)

    def _check(self, value: int | float, shown: object, name: str) -> None:
        if shown is None:
            raise BadRow("time is missing", f"{name} is missing")
        if isinstance(shown, str):
            parse_time(shown, name, self.unit)
        check_time(value, str(shown), name, self.unit)

    def _times(self, column: pa.Array, name: str) -> np.ndarray:
        """[n] int64 or float64 in `self.unit`; NaN where a row has none or one that cannot be read."""
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        kind = column.type
        if pa.types.is_null(kind):
            return np.full(len(column), np.nan)
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            self._set_unit("iso", name)
            return _numbers(column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()))
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            numbers = _numbers(column.cast(pa.float64()) if pa.types.is_decimal(kind) else column)
            if self.unit == "auto":
                known = numbers[np.isfinite(numbers)]
                self.unit = guess_unit_of(float(np.median(known))) if len(known) else "s"
            if self.unit == "iso":
                raise InputError(f"column {name!r} holds numbers, not ISO dates; give --time_unit s, ms or us")
            return numbers
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
            return self._parse_texts(column.cast(pa.string()).to_pylist(), name)
        raise InputError(f"column {name!r} of type {kind} cannot be a time; convert it to numbers or ISO dates")

    def _set_unit(self, unit: str, name: str) -> None:
        if self.unit not in ("auto", unit):
            raise InputError(f"column {name!r} holds dates, so --time_unit {self.unit} does not apply; leave it out")
        self.unit = unit

    def _parse_texts(self, texts: list[str | None], name: str) -> np.ndarray:
        if self.unit == "auto":
            self.unit = guess_unit([text for text in texts[:2000] if text])
        values: list[int | float] = []
        for text in texts:
            try:
                values.append(float("nan") if text is None else parse_time(text, name, self.unit))
            except BadRow:
                values.append(float("nan"))
        return np.array(values) if values else np.zeros(0, np.int64)


def _numbers(column: pa.Array) -> np.ndarray:
    """Numbers, with NaN for nulls."""
    if column.null_count:
        return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    values = column.to_numpy(zero_copy_only=False)
    return values.astype(np.float64 if values.dtype.kind == "f" else np.int64, copy=False)


def as_text(column: pa.Array, name: str) -> pa.Array:
    """A column of ids as strings. Whole numbers stored as floats lose their `.0`; text stays as it is.

    Raises:
      InputError: ids of a type without a text form (lists, structs).
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    kind = column.type
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
        whole = pc.all(pc.equal(pc.floor(column), column)).as_py()  # nulls and no rows count as whole
        if whole is None or whole:
            column = column.cast(pa.int64())
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"column {name!r} of type {kind} cannot serve as ids ({error}); convert it to text") from error
