"""Raw rows, one by one and exactly: records of a text file, times and their units, what to do with a bad row."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import numpy as np

from remi_tf.data.tables.dates import is_written, parse_written, what_to_give
from remi_tf.data.tables.layouts import MOST_BAD
from remi_tf.data.tables.units import LATEST, NUMBER, guess_unit_of, per_second
from remi_tf.errors import InputError

WHOLE = re.compile(r"\s*[+-]?\d+\s*")
SHOWN_EXAMPLES = 3
FEW_ROWS = 100_000  # a share of bad rows counts once so many rows were looked at
LONGEST_TIME = 64  # characters; a time is shorter
_INSIDE_QUOTES = re.compile(r'"([^"]*(?:""[^"]*)*)')
_SURROGATE, _HALF = re.compile("[\ud800-\udfff]"), re.compile("[\ud800-\udc7f\udd00-\udfff]")


def parse_most(given: str | int | float) -> int | float:
    """What --max_bad_rows names: a number of rows, or a share of them, which has a point.

    Raises:
      InputError: it is neither, negative, or a share above 1.
    """
    try:
        most: int | float = given if isinstance(given, int | float) else float(given) if "." in given else int(given)
    except ValueError:
        most = -1
    if not most >= 0 or (isinstance(most, float) and most > 1):
        raise InputError(f"--max_bad_rows {given}: give a number of rows, or a share of all rows such as 0.5")
    return most


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
    """What happens to bad rows: `stop` raises with file, line, value and `remedy`; `skip` counts by reason.

    Attributes:
      most: under `skip`, how many bad rows are too many: a number of rows, or (a float) a share of all rows, which
        counts once `FEW_ROWS` rows were looked at.
      rows: how many rows were looked at so far, good and bad.
      over_lines: file → how many of its rows hold a quoted field that runs over line ends.
      files: how many files of a log were read; empty: those that have no rows.
    """

    policy: str = "stop"
    remedy: str = "mend it or add --on_bad_row skip"
    most: int | float = MOST_BAD
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    rows: int = 0
    over_lines: Counter[str] = field(default_factory=Counter)
    files: int = 0
    empty: list[str] = field(default_factory=list)

    def add(self, place: str, error: BadRow) -> None:
        """`place` is file and line.

        Raises:
          InputError: the policy is `stop`, or there are too many bad rows.
        """
        if self.policy == "stop":
            raise InputError(f"{place}: {error.message}; {error.remedy or self.remedy}")
        self.counts[error.reason] += 1
        if len(self.examples) < SHOWN_EXAMPLES:
            self.examples.append(f"{place}: {error.message}")
        if isinstance(self.most, int) or self.rows >= FEW_ROWS:
            self._refuse_too_many(place)

    def _refuse_too_many(self, place: str) -> None:
        total = self.counts.total()
        limit = self.most * self.rows if isinstance(self.most, float) else self.most
        if total > limit:
            reason, often = self.counts.most_common(1)[0]
            raise InputError(
                f"{place}: {total:,} of the first {self.rows:,} rows are bad, more than --max_bad_rows {self.most} "
                f"allows; most often ({often:,} times): {reason}; the first: {self.examples[0]}; check --sep, --quotes "
                "and --time_unit, or allow more"
            )

    def truncated(self, place: str, message: str) -> None:
        """A file that ends too early."""
        if self.policy == "stop":
            raise InputError(f"{place}: {message}; fetch it again, or add --on_bad_row skip to use what could be read")
        self.counts["truncated file"] += 1
        self.examples.append(f"{place}: {message}")

    @property
    def empty_names(self) -> str:
        """The first few files without rows."""
        return ", ".join(self.empty[:SHOWN_EXAMPLES]) + (", …" if len(self.empty) > SHOWN_EXAMPLES else "")

    def notes(self) -> list[str]:
        """What the summary says of quoted fields, empty files and the first bad rows."""
        found = [
            f"in {label} {count:,} row{'s' * (count > 1)} hold{'s' * (count == 1)} a quoted field that runs over line "
            "ends; if quotes are plain characters there, give --quotes none"
            for label, count in self.over_lines.items()
        ]
        if self.empty:
            verb = "has" if len(self.empty) == 1 else "have"
            found.append(f"{len(self.empty):,} of {self.files:,} files {verb} no rows: {self.empty_names}")
        return found + [f"skipped {example}" for example in self.examples]


@dataclass(frozen=True)
class Record:
    """A row of a text table. `line` is its first physical line, `lines` how many."""

    line: int
    lines: int
    fields: list[str]


def split_records(data: bytes, first_line: int, separator: str, quoting: str | bool) -> Iterator[Record]:
    """The rows of a block whose quotes are settled (quotes.py), blank lines left out.

    Bytes that are not UTF-8 become lone surrogates.
    """
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    quoting = quoting not in (False, "none")
    index = 0
    while index < len(lines):
        text = lines[index].removesuffix("\r")
        count = 1
        if not quoting or '"' not in text:
            if text:
                yield Record(first_line + index, 1, text.split(separator))
        else:
            quotes = text.count('"')
            while quotes % 2 and index + count < len(lines):
                quotes += lines[index + count].count('"')
                count += 1
            text = "\n".join(lines[index : index + count]).removesuffix("\r")
            yield Record(first_line + index, count, _quoted_fields(text, separator))
        index += count


def _quoted_fields(text: str, separator: str) -> list[str]:
    """The fields of one row; an open quote at its end is taken as closed there."""
    fields, position = [], 0
    while True:
        if text.startswith('"', position):
            found = _INSIDE_QUOTES.match(text, position)
            assert found is not None
            fields.append(found[1].replace('""', '"'))
            position = found.end() + 1
        else:
            end = text.find(separator, position)
            end = len(text) if end < 0 else end
            fields.append(text[position:end])
            position = end
        if position >= len(text):
            return fields
        position += len(separator)


def check_utf8(text: str, column: str) -> str:
    """A text as it stands.

    Raises:
      BadRow: it holds a lone surrogate: bytes that were not UTF-8, or half a pair of JSON.
    """
    if not text.isascii() and _SURROGATE.search(text):
        shown = text.encode("utf-8", "surrogateescape") if not _HALF.search(text) else text[:60]
        raise BadRow("not UTF-8", f"{column} {shown!r} is not UTF-8 (convert the file to UTF-8, or give --encoding)")
    return text


def check_id(text: str, column: str) -> str:
    """A raw id, unchanged.

    Raises:
      BadRow: it is empty, is not UTF-8 or holds a line break.
    """
    if not text.strip():
        raise BadRow("empty id", f"{column} is empty")
    check_utf8(text, column)
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
    if value > latest_time(unit):
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
    return not (low >= 0 and high <= latest_time(unit))


def latest_time(unit: str) -> int:
    """The largest number that is a time in `unit`."""
    return 2**62 if unit == "none" else LATEST * per_second(unit)


def date(seconds: int) -> str:
    """Seconds since 1970 as a date such as 2014-05-01."""
    return datetime.fromtimestamp(int(seconds), tz=timezone.utc).strftime("%Y-%m-%d")
