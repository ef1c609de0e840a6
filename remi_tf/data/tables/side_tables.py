"""Tables next to a log, of items or users: text with a header, JSON lines or Parquet, plain, compressed or archived."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from remi_tf.data.tables.frames import as_text
from remi_tf.data.tables.json_tables import json_objects
from remi_tf.data.tables.layouts import kind_of, sniff
from remi_tf.data.tables.rows import BadRow, BadRows, split_records
from remi_tf.data.tables.streams import ARCHIVES, Member, bare_name, open_members, read_blocks
from remi_tf.errors import InputError

LIST_SEPARATOR = "|"
"""Between the values of a JSON list, read as one text."""

Pick = Callable[[list[str], str], Sequence[int | None]]  # names of a table's columns, its label → those to read
Row = tuple[str, list[str]]  # file and line, texts ("" for a column that is not there)


def table_rows(path: str | Path, pick: Pick, separator: str | None, what: str, bad: BadRows) -> Iterator[Row]:
    """The picked columns of every row.

    Args:
      what: what the table is called where bad rows are counted.

    Raises:
      InputError: the file is missing, or a bad row under the policy `stop`.
    """
    with open_members([path], bad) as members:
        for member in members:
            with member.open() as stream:
                start = stream.read(64 << 10)
            kind = kind_of(member.name, start)
            if kind == "json":
                yield from _json_rows(member, pick, bad)
            elif kind == "parquet":
                yield from _parquet_rows(member, pick)
            else:
                yield from _text_rows(member, start, pick, separator, what, bad)


def _text_rows(
    member: Member, start: bytes, pick: Pick, separator: str | None, what: str, bad: BadRows
) -> Iterator[Row]:
    """The rows of separated text whose first bytes are `start`."""
    used = sniff(start, member.name, separator)[1]
    names: list[str] = []
    with member.open() as stream:
        for block in read_blocks(stream, member.label, bad, used, len(used) == 1):
            for record in split_records(block.data, block.first_line, used, len(used) == 1):
                place = f"{member.label} line {record.line}"
                if not names:
                    names = record.fields
                    indexes = pick(names, member.label)
                elif len(record.fields) != len(names):
                    message = f"{len(record.fields)} columns where {len(names)} are expected"
                    bad.add(place, BadRow(f"{what}: number of columns", message))
                else:
                    yield place, ["" if i is None else _clean(record.fields[i]) for i in indexes]


def _json_rows(member: Member, pick: Pick, bad: BadRows) -> Iterator[Row]:
    """The columns are the keys of the first block's objects, as each may lack some."""
    names: list[str] = []
    with member.open() as stream:
        for block in read_blocks(stream, member.label, bad, "\n", quoting=False):
            rows = list(json_objects(block, member.label, bad))
            if not names and rows:
                names = list(dict.fromkeys(name for _, row in rows for name in row))
                indexes = pick(names, member.label)
            for line, row in rows:
                yield f"{member.label} line {line}", ["" if i is None else _text(row.get(names[i])) for i in indexes]


def _parquet_rows(member: Member, pick: Pick) -> Iterator[Row]:
    with member.open() as stream:
        try:
            table = parquet.read_table(io.BytesIO(stream.read()))
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(f"{member.label}: not a readable Parquet file ({error})") from error
    names = table.column_names
    indexes = pick(names, member.label)
    texts = [
        [""] * len(table) if i is None else [text or "" for text in as_text(table.column(i), names[i]).to_pylist()]
        for i in indexes
    ]
    for number, values in enumerate(zip(*texts, strict=True), start=1):
        yield f"{member.label} row {number}", list(values)


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return LIST_SEPARATOR.join(map(_text, value))
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def rows_beside(
    readers: Mapping[str, Callable[[Path, BadRows], Iterator[Any]]],
    names: Sequence[str],
    inputs: Sequence[Path],
    bad: BadRows,
) -> tuple[str, list[Any]] | None:
    """Name and rows of the first table of these `names` that is next to the log's files, or in their archive."""
    for path in inputs:
        for name in names:
            inside = path.name.lower().endswith(ARCHIVES)
            file = path if inside else path.with_name(name)
            if not file.is_file():
                continue
            try:
                return name, list(readers[bare_name(name)](file, bad))
            except InputError as error:
                if inside and "no file of the log" in str(error):
                    continue
                raise
    return None


def latin_lines(path: Path, wanted: str, bad: BadRows) -> Iterator[str]:
    """The lines of a latin-1 file, or of the member of that name."""
    with open_members([path], bad, lambda name: name == wanted) as members:
        for member in members:
            with member.open() as stream:
                for line in io.TextIOWrapper(stream, encoding="latin-1", newline="\n"):
                    yield line.rstrip("\r\n")
