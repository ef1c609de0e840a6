"""What a raw file looks like: kind, separator, header, which column is what."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from remi_tf.errors import InputError

SEPARATORS = {"tab": "\t", "\\t": "\t", "comma": ",", "pipe": "|", "semicolon": ";"}
QUOTES = ("auto", "csv", "none")
"""What --quotes takes. auto is the rule `tab` for tab-separated files and `csv` for others (quotes.py)."""
MOST_BAD = 0.5
"""Share of bad rows at which a log counts as not understood."""
_JSON = re.compile(rb"\s*(\{|\[\s*[{\]])")  # an object, or an array of objects


@dataclass(frozen=True)
class Columns:
    """Which column holds what: a name of the header, or a 0-based index as text where there is no header."""

    user: str
    item: str
    time: str | None = None
    category: str | None = None
    title: str | None = None

    def by_key(self) -> dict[str, str]:
        """Key (user, item, time, …) → column, for those that are given."""
        named = {
            "user": self.user,
            "item": self.item,
            "time": self.time,
            "category": self.category,
            "title": self.title,
        }
        return {key: column for key, column in named.items() if column is not None}


@dataclass(frozen=True)
class Layout:
    """How to read one file.

    kind: text (separated columns), json (one object per line) or parquet.
    form: rows (one interaction each), or sequence (one user each, whose items, and times, stand in one field).
    keep: (column, values): rows with another value in that column belong to another kind of event and are left out.
    num_columns: for text without a header, how many there must be (None: as many as the first row has).
    quoting: whether this kind of file may have quoted fields; quotes: what --quotes says of them (quotes.py).
    encoding: of text and JSON.
    """

    columns: Columns
    kind: str = "text"
    separator: str = ","
    header: bool = True
    quoting: bool = True
    keep: tuple[str, tuple[str, ...]] | None = None
    num_columns: int | None = None
    time_unit: str = "auto"
    names: Mapping[int, str] = field(default_factory=dict)
    form: str = "rows"
    quotes: str = "auto"
    encoding: str = "utf-8"

    @property
    def kept(self) -> tuple[str, ...]:
        """The values of `keep`."""
        return () if self.keep is None else self.keep[1]

    @property
    def ids(self) -> tuple[str, ...]:
        """Keys of the columns that hold ids."""
        return ("user",) if self.form == "sequence" else ("user", "item")

    @property
    def quote_rule(self) -> str:
        """The rule of quotes.py that holds for this file."""
        return rule_for(self.separator, self.quotes) if self.quoting else "none"

    def by_key(self) -> dict[str, str]:
        """Key → column of all that is read: user, item, time, …, `event` (of `keep`); of sequences `times`, as text."""
        named = self.columns.by_key()
        if self.form == "sequence" and "time" in named:
            named["times"] = named.pop("time")
        return named if self.keep is None else {**named, "event": self.keep[0]}


@dataclass(frozen=True)
class TextForm:
    """What the user says of text files: log and tables. separator: None guesses it from name and first line."""

    separator: str | None = None
    quotes: str = "auto"
    encoding: str = "utf-8"


def rule_for(separator: str, choice: str = "auto") -> str:
    """csv, tab or none: what a choice of --quotes means for a separator."""
    if choice == "none" or len(separator.encode()) != 1:
        return "none"
    return "tab" if choice == "auto" and separator == "\t" else "csv"


def kind_of(name: str, start: bytes) -> str:
    """text, json or parquet, by the first bytes and then by the name."""
    if start.startswith(b"PAR1") or name.lower().endswith(".parquet"):
        return "parquet"
    if _JSON.match(start.removeprefix(b"\xef\xbb\xbf")) or name.lower().endswith((".json", ".jsonl", ".ndjson")):
        return "json"
    return "text"


def guess_separator(name: str, line: str) -> str:
    """The separator of a text table by its name and first line."""
    if name.lower().endswith((".tsv", ".inter")):
        return "\t"
    if name.lower().endswith(".csv") and "," in line:
        return ","
    counts = {separator: line.count(separator) for separator in (",", "\t", "::", ";", "|")}
    best = max(counts, key=lambda separator: counts[separator])
    return best if counts[best] else ","


def parse_separator(text: str) -> str:
    """The separator a flag names.

    Raises:
      InputError: it is empty.
    """
    separator = SEPARATORS.get(text, text)
    if not separator:
        raise InputError("--sep is empty; give a character, 'tab', or '::'")
    return separator


def find_column(column: str, names: Sequence[str], place: str, remedy: str = "") -> int:
    """The index of a column by its name; RecBole's `user_id:token` is found as `user_id`.

    Args:
      remedy: the end of the message where there is none of that name.

    Raises:
      InputError: there is none of that name, or more than one.
    """
    plain = [name.strip() for name in names]
    for known in (plain, [name.split(":")[0] for name in plain]):
        if known.count(column) > 1:
            raise InputError(f"{place}: {known.count(column)} columns are called {column!r}; rename all but one")
        if column in known:
            return known.index(column)
    near = difflib.get_close_matches(column, plain, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise InputError(f"{place}: no column {column!r}; there are {', '.join(map(repr, plain))}{hint}{remedy}")


def find_usual_column(column: str | None, usual: Sequence[str], names: Sequence[str], place: str) -> int | None:
    """As `find_column`; where no column is given, the first that has one of the usual names in any case, or None."""
    if column is not None:
        return find_column(column, names, place)
    lowered = [name.strip().lower() for name in names]
    return next((lowered.index(name) for name in usual if name in lowered), None)


def find_index(column: str, num_columns: int, place: str) -> int:
    """The index a column flag names where there is no header.

    Raises:
      InputError: it is not a number from 0, or too large.
    """
    if not column.isdecimal():
        raise InputError(f"{place}: without a header columns are named by index from 0, not {column!r}")
    if int(column) >= num_columns:
        raise InputError(
            f"{place}: no column {column}; there are {num_columns}, counted from 0 ({num_columns - 1} is the last)"
        )
    return int(column)


def sniff(data: bytes, name: str, separator: str | None) -> tuple[str, str]:
    """(first line, separator) of the start of a text file."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").lstrip("\r\n")
    line = text.split("\n", 1)[0].removesuffix("\r")
    return line, guess_separator(name, line) if separator is None else separator


def parse_keep(text: str) -> tuple[str, tuple[str, ...]]:
    """Column and values of "event=view,purchase".

    Raises:
      InputError: it has another form.
    """
    column, equals, listed = text.partition("=")
    values = tuple(dict.fromkeys(value.strip() for value in listed.split(",") if value.strip()))
    if not column.strip() or not equals or not values:
        raise InputError(f"--keep {text!r}: give a column and the values to keep, such as event_type=view,purchase")
    return column.strip(), values
