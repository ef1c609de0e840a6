"""Raw rows, one by one and exactly: records of a text file, times and their units, what to do with a bad row."""

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import numpy as np

from remi_tf.data.tables.dates import is_written, parse_written, what_to_give
from remi_tf.data.tables.units import LATEST, NUMBER, guess_unit_of, per_second
from remi_tf.errors import InputError

WHOLE = re.compile(r"\s*[+-]?\d+\s*")
MOST_LINES = 100  # a quoted field that runs over more lines than this was never closed
SHOWN_EXAMPLES = 3
LONGEST_TIME = 64  # characters; a time is shorter


class BadRow(Exception):
    """A row that cannot be used: `reason` to count it under, `message` and `remedy` for the user.

    Without a remedy of its own it has the one that all bad rows have.
    """

    def __init__(self, reason: str, message: str, remedy: str | None = None):
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.remedy = remedy


@dataclass
class BadRows:
    """What happens to bad rows: `stop` raises with file, line, value and `remedy`; `skip` counts by reason."""

    policy: str = "stop"
    remedy: str = "mend it or add --on_bad_row skip"
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, place: str, error: BadRow) -> None:
        """`place` is file and line."""
        if self.policy == "stop":
            raise InputError(f"{place}: {error.message}; {error.remedy or self.remedy}")
        self.counts[error.reason] += 1
        if len(self.examples) < SHOWN_EXAMPLES:
            self.examples.append(f"{place}: {error.message}")

    def truncated(self, place: str, message: str) -> None:
        """A file that ends too early."""
        if self.policy == "stop":
            raise InputError(f"{place}: {message}; fetch it again, or add --on_bad_row skip to use what could be read")
        self.counts["truncated file"] += 1
        self.examples.append(f"{place}: {message}")


@dataclass(frozen=True)
class Record:
    """A row of a text table. `line` is its first physical line, `lines` how many; `closed`: no quote is open."""

    line: int
    lines: int
    fields: list[str]
    closed: bool = True


def split_records(data: bytes, first_line: int, separator: str, quoting: bool) -> Iterator[Record]:
    """The records of a block, blank lines left out. Bytes that are not UTF-8 become lone surrogates."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    index = 0
    while index < len(lines):
        text = lines[index].removesuffix("\r")
        if not text:
            index += 1
        elif not quoting or '"' not in text:
            yield Record(first_line + index, 1, text.split(separator))
            index += 1
        else:
            record = _quoted_record(lines, index, first_line, separator)
            yield record
            index += record.lines


def _quoted_record(lines: list[str], index: int, first_line: int, separator: str) -> Record:
    """The record that starts at lines[index]; over several lines while the number of quotes is odd."""
    quotes = 0
    for count, line in enumerate(lines[index : index + MOST_LINES], start=1):
        quotes += line.count('"')
        if quotes % 2 == 0:
            fields = _parse_quoted(lines[index : index + count], separator)
            if fields is not None:
                return Record(first_line + index, count, fields)
            break
    text = lines[index]
    fields = _parse_quoted([text], separator)
    closed = index + MOST_LINES <= len(lines) or quotes % 2 == 0
    return Record(first_line + index, 1, text.split(separator) if fields is None else fields, closed)


def _parse_quoted(lines: list[str], separator: str) -> list[str] | None:
    """The fields of exactly one record, None if the lines are not one."""
    text = [line + "\n" for line in lines[:-1]] + [lines[-1].removesuffix("\r")]
    try:
        records = list(csv.reader(text, delimiter=separator))
    except csv.Error:
        return None
    return records[0] if len(records) == 1 else None


def check_id(text: str, column: str) -> str:
    """A raw id, unchanged.

    Raises:
      BadRow: it is empty, is not UTF-8 or holds a line break.
    """
    if not text.strip():
        raise BadRow("empty id", f"{column} is empty")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raw = text.encode("utf-8", "surrogateescape")
        raise BadRow("not UTF-8", f"{column} {raw!r} is not UTF-8 (convert the file to UTF-8)")
    if "\n" in text or "\r" in text:
        raise BadRow("line break in an id", f"{column} {text!r} holds a line break")
    return text


def parse_time(text: str, column: str, unit: str) -> int | float:
    """A time as a number in `unit` (of text dates: microseconds since 1970, UTC where no zone is given).

    Raises:
      BadRow: not a number (or not a date of the unit's form), negative, not finite, or beyond the year 2100.
    """
    if len(text) > LONGEST_TIME:
        raise BadRow("time is not a number", f"{column} {text[:20]!r}… of {len(text):,} characters is not a time")
    if is_written(unit):
        value: int | float | None = parse_written(text, unit)
        if value is None:
            raise _not_a_date(text, column, unit)
    elif WHOLE.fullmatch(text):
        value = int(text)
    elif NUMBER.fullmatch(text) or text.strip().lower().lstrip("+-") in ("nan", "inf", "infinity"):
        value = float(text)
    else:
        raise BadRow("time is not a number", f"{column} {text!r} is not a number")
    check_time(value, text, column, unit)
    return value


def _not_a_date(text: str, column: str, unit: str) -> BadRow:
    form = "an ISO date (2014-05-01T12:00:00)" if unit == "iso" else f"a date of the form {unit}"
    reason = "time is not an ISO date" if unit == "iso" else "time is not of the form"
    if not text.strip() or (unit == "iso" and NUMBER.fullmatch(text)):
        return BadRow(reason, f"{column} {text!r} is not {form}")
    remedy = f"{what_to_give(text, unit)}; or mend it or add --on_bad_row skip if only some rows are so"
    return BadRow(reason, f"{column} {text!r} is not {form}", remedy)


def check_time(value: int | float, text: Any, column: str, unit: str) -> None:
    """Raise BadRow if a time is negative, not finite or beyond the year 2100."""
    if not math.isfinite(value):
        raise BadRow("time is not a number", f"{column} {text!r} is not a finite number")
    if value < 0:
        raise BadRow("negative time", f"{column} {text!r} is negative")
    if abs(value) > 2**62:
        raise BadRow("time out of range", f"{column} {text!r} is too large")
    if unit != "none" and value > LATEST * per_second(unit):
        year = 1970 + int(value / per_second(unit) / 31_556_952)
        other = guess_unit_of(value)
        hint = f" (is it in {other}? give --time_unit {other})" if other not in (unit, "none", "s") else ""
        hint = "" if is_written(unit) else hint
        raise BadRow("time out of range", f"{column} {text!r}, read in {unit}, lies in the year {year:,}{hint}")


def bad_times(values: np.ndarray, unit: str) -> bool:
    """Whether any of `values` [n] is one that `check_time` refuses."""
    if not len(values):
        return False
    low, high = values.min(), values.max()  # NaN comes through both
    return not (low >= 0 and high <= (2**62 if unit == "none" else LATEST * per_second(unit)))


def date(seconds: int) -> str:
    """Seconds since 1970 as a date such as 2014-05-01."""
    return datetime.fromtimestamp(int(seconds), tz=timezone.utc).strftime("%Y-%m-%d")
