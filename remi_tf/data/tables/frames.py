"""Columns that come with types (Parquet, DataFrame, JSON lines) → chunks."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remi_tf.data.tables.dates import compact_form, is_written, written_times
from remi_tf.data.tables.ids import SPACES, NotAnId, id_column, id_text
from remi_tf.data.tables.labels import label_column
from remi_tf.data.tables.raw_log import Chunk
from remi_tf.data.tables.rows import BadRow, BadRows, bad_times, check_id, check_time, latest_time, parse_time
from remi_tf.data.tables.units import PER_SECOND, guess_unit, guess_unit_of
from remi_tf.errors import InputError

IDS = ("user", "item")
SAMPLE = 2000  # texts that show the form of a column


class TypedReader:
    """Turns typed columns into chunks.

    Attributes:
      unit: of the times; `auto` until the first times were seen.
      keep: values of the column `event` that are read.
      other_events: rows left out because they have another value.
      ids: keys of the columns that hold ids; the others are labels, which may be lists.
    """

    def __init__(self, bad: BadRows, unit: str, keep: tuple[str, ...] = (), ids: tuple[str, ...] = IDS):
        self.bad = bad
        self.unit = unit
        self.keep = keep
        self.other_events = 0
        self.ids = ids

    def chunk(self, columns: dict[str, pa.Array], names: dict[str, str], place: Callable[[int], str]) -> Chunk:
        """The good rows of some columns.

        Args:
          columns: key (user, item, time, …) → [n] array; names: key → the column's name, for messages.
          place: index of a row → file and row, for messages.
        """
        columns = {key: _whole(column) for key, column in columns.items()}
        if "event" in columns:
            rows = self._wanted(columns.pop("event"))
            columns = {key: column.take(pa.array(rows)) for key, column in columns.items()}
            everywhere = place
            place = lambda row: everywhere(int(rows[row]))  # noqa: E731
        if "time" in columns and pa.types.is_dictionary(columns["time"].type):
            columns["time"] = columns["time"].dictionary_decode()
        texts = {
            key: coded(column, names[key]) if key in self.ids else coded_labels(column)
            for key, column in columns.items()
            if key != "time"
        }
        times = self._times(columns["time"], names["time"]) if "time" in columns else None
        odd = self._odd_rows(texts, times)
        if not len(odd):
            return Chunk(dict(texts), times)
        wrong = []
        for row in odd.tolist():
            try:
                self._check_row(row, columns, texts, times, names)
            except BadRow as error:
                self.bad.add(place(row), error)
                wrong.append(row)
        good = np.ones(len(texts["user"]), bool)
        good[wrong] = False
        kept = {key: column.filter(pa.array(good)) for key, column in texts.items()}
        return Chunk(kept, None if times is None else times[good])

    def _wanted(self, events: pa.Array) -> np.ndarray:
        """Rows whose event is one of `keep`."""
        texts = coded_labels(events)
        wanted = pc.is_in(pc.utf8_trim(texts.dictionary, SPACES), pa.array(self.keep, pa.string()))
        rows = np.flatnonzero(wanted.to_numpy(zero_copy_only=False)[texts.indices.to_numpy()])
        self.other_events += len(texts) - len(rows)
        return rows

    def _odd_rows(self, texts: dict[str, pa.DictionaryArray], times: np.ndarray | None) -> np.ndarray:
        """[k] rows that may be bad, in order: only those are looked at one by one."""
        odd = np.zeros(len(texts["user"]), bool)
        for key in self.ids:
            column = texts[key]
            values = column.dictionary
            bad = pc.or_(
                pc.equal(pc.utf8_trim(values, SPACES), ""), pc.match_substring_regex(values, r"[\r\n]")
            ).to_numpy(zero_copy_only=False)
            if column.null_count:
                odd |= column.is_null().to_numpy(zero_copy_only=False)
            if bad.any():
                codes = column.indices.fill_null(0).to_numpy()
                odd |= bad[codes]
        if times is not None and bad_times(times, self.unit):
            odd |= ~((times >= 0) & (times <= latest_time(self.unit)))
        return np.flatnonzero(odd)

    def _check_row(
        self,
        row: int,
        columns: dict[str, pa.Array],
        texts: dict[str, pa.Array],
        times: np.ndarray | None,
        names: dict[str, str],
    ) -> None:
        """Raise BadRow if a row cannot be used."""
        for key in self.ids:
            text = texts[key][row].as_py()
            if text is None and columns[key][row].is_valid:
                _refuse(columns[key][row], names[key])
            check_id(text or "", names[key])
        if times is not None:
            self._check_time(times[row].item(), columns["time"][row], names["time"])

    def _check_time(self, value: int | float, given: pa.Scalar, name: str) -> None:
        if not given.is_valid:
            raise BadRow("time is missing", f"{name} is missing")
        if isinstance(given, pa.TimestampScalar | pa.Date32Scalar | pa.Date64Scalar):
            if value < 0:
                raise BadRow("negative time", f"{name} lies before 1970")
            raise BadRow("time out of range", f"{name} lies beyond the year 2100")
        shown = given.as_py()
        if isinstance(shown, str) or is_written(self.unit):
            parse_time(str(shown), name, self.unit)
        check_time(value, str(shown), name, self.unit)

    def _times(self, column: pa.Array, name: str) -> np.ndarray:
        """[n] int64 or float64 in `self.unit`; NaN where a row has none or one that cannot be read."""
        kind = column.type
        if pa.types.is_null(kind):
            return np.full(len(column), np.nan)
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            self._set_unit(name)
            return _date_times(column)
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            numbers = _numbers(column.cast(pa.float64()) if pa.types.is_decimal(kind) else column)
            if self.unit == "auto":
                self.unit = _unit_of(numbers)
            if self.unit == "iso":
                raise InputError(f"column {name!r} holds numbers, not ISO dates; give --time_unit s, ms, us or ns")
            if is_written(self.unit):
                return self._parse(pa.array([None if np.isnan(n) else str(int(n)) for n in numbers], pa.string()), name)
            return numbers
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            texts = column.cast(pa.string())
            if self.unit == "auto":
                step = max(1, len(texts) // SAMPLE)
                self.unit = guess_unit([text for text in texts[::step].to_pylist() if text])
            return self._parse(texts, name)
        raise InputError(f"column {name!r} of type {kind} cannot be a time; convert it to numbers or ISO dates")

    def _set_unit(self, name: str) -> None:
        """Dates that are stored as dates are what is called iso here."""
        if self.unit not in ("auto", "iso"):
            raise InputError(f"column {name!r} holds dates, so {_flag(self.unit)} does not apply; leave it out")
        self.unit = "iso"

    def _parse(self, texts: pa.Array, name: str) -> np.ndarray:
        if is_written(self.unit):
            times = written_times(texts.dictionary_encode(), self.unit)
            if times is not None:
                return times
        values: list[int | float] = []
        for text in texts.to_pylist():
            try:
                values.append(float("nan") if text is None else parse_time(text, name, self.unit))
            except BadRow:
                values.append(float("nan"))
        return np.array(values) if values else np.zeros(0, np.int64)


def _flag(unit: str) -> str:
    return f"--time_format {unit}" if "%" in unit else f"--time_unit {unit}"


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _unit_of(numbers: np.ndarray) -> str:
    """The unit of numbers by their size, or by the dates that their digits are."""
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return "s"
    sample = known[:: max(1, len(known) // SAMPLE)]
    whole = compact_form([str(int(number)) for number in sample if abs(number) < 2**63])
    return whole or guess_unit_of(float(np.median(known)))


def _date_times(column: pa.Array) -> np.ndarray:
    """[n] microseconds since 1970 of stored dates; NaN where there is none."""
    kind = column.type
    if pa.types.is_date64(kind):
        column, factor = column.cast(pa.timestamp("ms")), 1000
    elif pa.types.is_date(kind):
        column, factor = column.cast(pa.int32()), 86_400 * 10**6
    elif kind.unit == "ns":
        column, factor = column.cast(pa.timestamp("us", kind.tz), safe=False), 1
    else:
        factor = 10**6 // PER_SECOND[kind.unit]
    numbers = _numbers(column.cast(pa.int64()))
    if numbers.dtype.kind != "f" and np.abs(numbers).max(initial=0) > 2**62 // factor:
        numbers = numbers.astype(np.float64)  # far beyond what is a time: the check finds it
    return numbers * factor


def _numbers(column: pa.Array) -> np.ndarray:
    """Numbers, with NaN for nulls."""
    if column.null_count:
        return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    values = column.to_numpy(zero_copy_only=False)
    return values.astype(np.float64 if values.dtype.kind == "f" else np.int64, copy=False)


def _refuse(value: pa.Scalar, name: str) -> None:
    try:
        id_text(value)
    except NotAnId as error:
        raise BadRow("not an id", f"{name} {error}") from error


def coded(column: pa.Array | pa.ChunkedArray, name: str) -> pa.DictionaryArray:
    """A column of ids as text, as ids.py has it; null where a value is missing or is no id.

    Each different text is held once: a long one that repeats takes no more memory than before.

    Raises:
      InputError: values of a type that is never an id (truth values, dates, lists, objects).
    """
    return _coded(_whole(column), lambda values: _id_texts(values, name))


def coded_labels(column: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """A column of labels as text, "" where a value is missing."""
    texts = _coded(_whole(column), label_column)
    return texts.dictionary_decode().fill_null("").dictionary_encode() if texts.null_count else texts


def _coded(column: pa.Array, texts_of: Callable[[pa.Array], pa.Array]) -> pa.DictionaryArray:
    if not pa.types.is_dictionary(column.type):
        return texts_of(column).dictionary_encode()
    texts = texts_of(column.dictionary)
    if texts.null_count:
        return texts.take(column.indices).dictionary_encode()
    return pa.DictionaryArray.from_arrays(column.indices.cast(pa.int32()), texts)


def _id_texts(column: pa.Array, name: str) -> pa.Array:
    try:
        texts = id_column(column)
    except pa.ArrowException as error:
        raise InputError(f"column {name!r} of type {column.type} cannot serve as ids ({error})") from error
    if texts is None:
        raise InputError(f"column {name!r} of type {column.type} cannot serve as ids; convert it to text")
    return texts
