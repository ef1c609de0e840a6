"""Tables next to a log, of items or users: text with a header, JSON lines or Parquet, plain, compressed or archived.

Or DataFrames.
"""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from remi_tf.data.tables.archives import ARCHIVES, Member, NoFileInside, Started, bare_name, open_members
from remi_tf.data.tables.data_frames import series_array
from remi_tf.data.tables.frames import coded, coded_labels
from remi_tf.data.tables.ids import NotAnId, examples, id_text, spelling_hint
from remi_tf.data.tables.json_objects import json_rows
from remi_tf.data.tables.json_tables import text_of
from remi_tf.data.tables.layouts import TextForm, kind_of, rule_for, sniff
from remi_tf.data.tables.parquet_tables import parquet_batches
from remi_tf.data.tables.quotes import NEVER_CLOSED
from remi_tf.data.tables.rows import BadRow, BadRows, check_utf8, split_records
from remi_tf.data.tables.streams import decoded, read_blocks
from remi_tf.errors import InputError

FIRST_OBJECTS = 10_000  # of a JSON table, whose keys are its columns
Pick = Callable[[list[str], str], Sequence[int | None]]  # names of a table's columns, its label → those to read
Row = tuple[str, list[Any]]
"""File and line, the id, other texts ("" for a column that is not there; lists as JSON) or arrays."""


def table_name(table: str | Path | pd.DataFrame, what: str) -> str:
    """What a table is called in a message: the name of its file, or `what`."""
    return what if isinstance(table, pd.DataFrame) else Path(table).name


def table_rows(
    path: str | Path | pd.DataFrame,
    pick: Pick,
    form: TextForm | None,
    what: str,
    bad: BadRows,
    vectors: Sequence[str] = (),
) -> Iterator[Row]:
    """The picked columns of every row, of which the first holds the ids. A bad row has no id and no text.

    Args:
      what: what the table is called where bad rows are counted.
      vectors: columns whose lists of floats come as arrays, not as text, where the table has types.

    Raises:
      InputError: the file is missing, or a bad row under the policy `stop`.
    """
    if isinstance(path, pd.DataFrame):
        yield from _frame_rows(path, pick, f"the {what}", bad, vectors)
        return
    form = form or TextForm()
    with open_members([path], bad) as members:
        for member in members:
            with member.open() as file:
                stream = Started(file)
                kind = kind_of(member.name, decoded(stream.start, form.encoding))
                if kind == "json":
                    yield from _json_rows(stream, member.label, pick, form, bad)
                elif kind == "parquet":
                    yield from _parquet_rows(file, stream, member.label, pick, bad, vectors)
                else:
                    yield from _text_rows(stream, member, pick, form, what, bad)


def _text_rows(stream: Started, member: Member, pick: Pick, form: TextForm, what: str, bad: BadRows) -> Iterator[Row]:
    """The rows of separated text."""
    separator = sniff(decoded(stream.start, form.encoding), member.name, form.separator)[1]
    rule = rule_for(separator, form.quotes)
    names: list[str] = []
    for block in read_blocks(stream, member.label, bad, separator, rule, form.encoding):
        if len(block.spans):
            bad.over_lines[member.label] += len(block.spans)
        for record in split_records(block.data, block.first_line, separator, rule):
            place = f"{member.label} line {record.line}"
            if not names:
                names = record.fields
                indexes = pick(names, member.label)
                continue
            bad.rows += 1
            try:
                if record.line in block.unclosed:
                    raise BadRow(f"{what}: quote never closed", NEVER_CLOSED)
                if len(record.fields) != len(names):
                    message = f"{len(record.fields)} columns where {len(names)} are expected"
                    raise BadRow(f"{what}: number of columns", message)
                texts = ["" if i is None else check_utf8(record.fields[i], names[i]) for i in indexes]
            except BadRow as error:
                bad.add(place, error)
                texts = [""] * len(indexes)
            yield place, texts


def _json_rows(stream: Started, label: str, pick: Pick, form: TextForm, bad: BadRows) -> Iterator[Row]:
    """The columns are the keys of the first objects, as each may lack some."""
    rows = json_rows(stream, stream.start, label, bad, form.encoding)
    first = list(itertools.islice(rows, FIRST_OBJECTS))
    names = list(dict.fromkeys(name for _, row in first for name in row))
    if not names:
        return
    indexes = pick(names, label)
    for line, row in itertools.chain(first, rows):
        try:
            raw_id, *labels = (None if i is None else names[i] for i in indexes)
            texts = ["" if raw_id is None else text_of(row, raw_id, "id", needed=False) or ""]
            texts += ["" if name is None else text_of(row, name, "label", needed=False) or "" for name in labels]
        except BadRow as error:
            bad.add(f"{label} line {line}", error)
            texts = [""] * len(indexes)
        yield f"{label} line {line}", texts


def _parquet_rows(
    file: IO[bytes], stream: Started, label: str, pick: Pick, bad: BadRows, vectors: Sequence[str]
) -> Iterator[Row]:
    names: list[str | None] = []

    def picked(schema: list[str]) -> Sequence[int | None]:
        indexes = pick(schema, label)
        names.extend(None if index is None else schema[index] for index in indexes)
        return indexes

    number = 1
    for columns in parquet_batches(file, stream, label, picked):
        yield from _typed_rows(columns, names, label, number, bad, vectors)
        number += max(0 if column is None else len(column) for column in columns)


def _frame_rows(frame: pd.DataFrame, pick: Pick, label: str, bad: BadRows, vectors: Sequence[str]) -> Iterator[Row]:
    """Rows are named by their position from 0, as those of a log are."""
    header = [str(name) for name in frame.columns]
    indexes = pick(header, label)
    arrays = [None if i is None else series_array(frame.iloc[:, i], n == 0, bad) for n, i in enumerate(indexes)]
    yield from _typed_rows(arrays, [None if i is None else header[i] for i in indexes], label, 0, bad, vectors)


def _typed_rows(
    columns: Sequence[pa.Array | None],
    names: Sequence[str | None],
    label: str,
    first: int,
    bad: BadRows,
    vectors: Sequence[str],
) -> Iterator[Row]:
    """Rows of columns that have types; `first` is the number of the first row."""
    raw_ids, *others = columns
    assert raw_ids is not None and names[0] is not None  # the first column of a table holds its ids
    try:
        ids = coded(raw_ids, names[0]).to_pylist()
    except InputError as error:
        raise InputError(f"{label}: {error}, or name another column") from error
    values = [_values(column, len(ids), name in vectors) for name, column in zip(names[1:], others, strict=True)]
    bad.rows += len(ids)
    for row, (raw_id, *rest) in enumerate(zip(ids, *values, strict=True)):
        place = f"{label} row {first + row}"
        try:
            texts = [_missing(raw_ids[row]) if raw_id is None else raw_id, *rest]
        except NotAnId as error:
            bad.add(place, BadRow("a table's id", f"{names[0]} {error}"))
            texts = [""] * len(columns)
        yield place, texts


def _values(column: pa.Array | None, rows: int, may_be_vectors: bool) -> list[Any]:
    """The values of a column as a row has them."""
    if column is None:
        return [""] * rows
    kind = column.type
    if may_be_vectors and _is_list(kind) and pa.types.is_floating(kind.value_type):
        values = [] if rows == 0 else np.split(*_flat(column))
        return [value if there.as_py() else "" for value, there in zip(values, column.is_valid(), strict=True)]
    return coded_labels(column).to_pylist()


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _flat(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of all lists of a column end to end, and where one ends and the next begins."""
    lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return column.flatten().to_numpy(zero_copy_only=False), np.cumsum(lengths)[:-1]


def _missing(value: pa.Scalar) -> str:
    """Empty text for a missing value.

    Raises:
      NotAnId: it is there, but cannot be an id.
    """
    given = value.as_py()
    return "" if given is None or given != given else id_text(given)


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
            except NoFileInside:
                continue
    return None


def latin_lines(path: Path, wanted: str, bad: BadRows) -> Iterator[str]:
    """The lines of a latin-1 file, or of the member of that name."""
    with open_members([path], bad, lambda name: name == wanted) as members:
        for member in members:
            with member.open() as stream:
                for block in read_blocks(stream, member.label, bad, "\n", encoding="latin-1"):
                    yield from (line.removesuffix("\r") for line in block.data.decode().removesuffix("\n").split("\n"))
