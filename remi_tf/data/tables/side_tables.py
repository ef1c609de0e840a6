"""Tables next to a log, of items or users: text with a header, JSON lines or Parquet, plain, compressed or archived."""

import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from remi_tf.data.tables.ids import NotAnId, examples, id_column, id_text, spelling_hint
from remi_tf.data.tables.json_tables import json_objects
from remi_tf.data.tables.labels import label_column, label_text
from remi_tf.data.tables.layouts import kind_of, sniff
from remi_tf.data.tables.rows import BadRow, BadRows, split_records
from remi_tf.data.tables.streams import ARCHIVES, Member, bare_name, open_members, read_blocks
from remi_tf.errors import InputError

Pick = Callable[[list[str], str], Sequence[int | None]]  # names of a table's columns, its label → those to read
Row = tuple[str, list[str]]  # file and line, the id, other texts ("" for a column that is not there; lists as JSON)


def table_rows(path: str | Path, pick: Pick, separator: str | None, what: str, bad: BadRows) -> Iterator[Row]:
    """The picked columns of every row, of which the first holds the ids.

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
                place = f"{member.label} line {line}"
                values = [None if i is None else row.get(names[i]) for i in indexes]
                try:
                    yield place, [_id(values[0]), *map(label_text, values[1:])]
                except NotAnId as error:
                    bad.add(place, BadRow("a table's id", f"{names[indexes[0] or 0]} {error}"))


def _parquet_rows(member: Member, pick: Pick) -> Iterator[Row]:
    with member.open() as stream:
        try:
            table = parquet.read_table(io.BytesIO(stream.read()))
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(f"{member.label}: not a readable Parquet file ({error})") from error
    names = table.column_names
    indexes = pick(names, member.label)
    ids = id_column(table.column(indexes[0]).combine_chunks())
    if ids is None:
        kind = table.schema.field(indexes[0]).type
        raise InputError(
            f"{member.label}: column {names[indexes[0]]!r} of type {kind} cannot serve as ids; name another"
        )
    texts = [[text or "" for text in ids.to_pylist()]]
    for i in indexes[1:]:
        whole = None if i is None else table.column(i).combine_chunks()
        texts.append([""] * len(table) if whole is None else label_column(whole).to_pylist())
    for number, values in enumerate(zip(*texts, strict=True), start=1):
        yield f"{member.label} row {number}", list(values)


def _id(value: Any) -> str:
    return "" if value is None or value != value else id_text(value)


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def nothing_joined(name: str, what: str, flag: str, ids: Sequence[str], known: Collection[str]) -> InputError:
    """None of a table's ids is known; `what`: users or items of the log."""
    ids = [raw_id for raw_id in ids if raw_id]
    return InputError(
        f"{name}: none of its ids is {what} of the log; check {flag}: the table has {examples(ids) or 'no id'}, the "
        f"log has {examples(known)}{spelling_hint(ids, known)}"
    )


def joined_note(name: str, what: str, found: Collection[str], unknown: Sequence[str], known: Collection[str]) -> str:
    """How much of a log a table describes. `unknown`: ids of the table that the log does not have."""
    missing = [raw_id for raw_id in known if raw_id not in found]
    note = f"{name} describes {len(found):,} of the log's {len(known):,} {what}"
    return note + (f", not {examples(missing)}{spelling_hint(missing, unknown)}" if missing else "")


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
