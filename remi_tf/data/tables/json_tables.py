"""JSON lines → chunks. A clean block is parsed by Arrow; only a block with a bad line is read line by line."""

import ast
import json
from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
from pyarrow import json as arrow_json

from remi_tf.data.tables.frames import TypedReader
from remi_tf.data.tables.ids import NotAnId, id_text
from remi_tf.data.tables.labels import label_text
from remi_tf.data.tables.layouts import Layout
from remi_tf.data.tables.raw_log import Chunk
from remi_tf.data.tables.rows import BadRow, BadRows
from remi_tf.data.tables.streams import Block, read_blocks, some_lines
from remi_tf.errors import InputError

Types = dict[str, pa.DataType]


def read_json(stream: IO[bytes], label: str, layout: Layout, reader: TypedReader) -> Iterator[Chunk]:
    """The rows of one file of JSON objects, one per line.

    Raises:
      InputError: a file without rows, or under the policy `stop` a line that is not an object or lacks a key.
    """
    names = layout.by_key()
    types: Types | None = None
    seen = False
    for block in read_blocks(stream, label, reader.bad, "\n", quoting=False):
        seen = True
        types = _guess_types(block, names) if types is None else types
        columns = _fast(block, names, types)
        if columns is not None:
            first = block.first_line
            yield reader.chunk(columns, names, lambda row, first=first: f"{label} line {first + row}")  # type: ignore[misc]
        else:
            columns, lines = _slow(block, names, label, reader)
            yield reader.chunk(columns, names, lambda row, lines=lines: f"{label} line {lines[row]}")  # type: ignore[misc]
    if not seen:
        raise InputError(f"{label}: the file is empty")


def sample_times(stream: IO[bytes], label: str, layout: Layout) -> list[str]:
    """Some of the times, as text, from all over a file."""
    samples = []
    column = layout.columns.time or ""
    for block in read_blocks(stream, label, BadRows("skip"), "\n", quoting=False):
        for raw in some_lines(block.data):
            try:
                value = parse_object(raw).get(column)
            except BadRow:
                continue
            if value is not None and not isinstance(value, bool):
                samples.append(label_text(value))
    return samples


def json_objects(block: Block, label: str, bad: BadRows) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, object) of each line; lines that are not objects go to `bad`.

    Older Amazon files hold Python literals instead of JSON; those are read as literals, never evaluated.
    """
    for number, raw in enumerate(block.data.split(b"\n"), start=block.first_line):
        if not raw.strip():
            continue
        try:
            yield number, parse_object(raw)
        except BadRow as error:
            bad.add(f"{label} line {number}", error)


def parse_object(raw: bytes) -> dict[str, Any]:
    """The object of one line.

    Raises:
      BadRow: it is none.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRow(
            "not UTF-8", f"{raw[error.start : error.end]!r} is not UTF-8 (convert the file to UTF-8)"
        ) from error
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        try:
            value = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            raise BadRow("not JSON", f"{text.strip()[:60]!r} is not a JSON object ({error})") from error
    if not isinstance(value, dict):
        raise BadRow("not JSON", f"{text.strip()[:60]!r} is not a JSON object")
    return value


def _guess_types(block: Block, names: dict[str, str]) -> Types:
    """The Arrow type of each key by the first line that holds a whole object."""
    for raw in block.data.split(b"\n", 50)[:50]:
        try:
            value = parse_object(raw)
        except BadRow:
            continue
        kinds = {bool: pa.string(), int: pa.int64(), float: pa.float64()}
        return {key: kinds.get(type(value.get(name)), pa.string()) for key, name in names.items()}
    return dict.fromkeys(names, pa.string())


def _fast(block: Block, names: dict[str, str], types: Types) -> dict[str, pa.Array] | None:
    """The used keys of a block in which every line is a whole object with all of them, else None."""
    schema = pa.schema({name: types[key] for key, name in names.items()})
    try:
        table = arrow_json.read_json(
            pa.BufferReader(block.data),
            arrow_json.ReadOptions(block_size=max(1 << 20, len(block.data) // 4)),
            arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
        table.validate(full=True)  # Arrow's JSON reader does not check UTF-8
    except pa.ArrowInvalid:
        return None
    lines = block.data.count(b"\n") + (not block.data.endswith(b"\n"))
    if len(table) != lines or any(table.column(name).null_count for key, name in names.items() if key in _NEEDED):
        return None
    return {key: table.column(name).combine_chunks() for key, name in names.items()}


_NEEDED = ("user", "item", "time")


def _slow(
    block: Block, names: dict[str, str], label: str, reader: TypedReader
) -> tuple[dict[str, pa.Array], list[int]]:
    """The used keys as text, and the line of each row."""
    values: dict[str, list[str | None]] = {key: [] for key in names}
    lines = []
    for line, row in json_objects(block, label, reader.bad):
        try:
            texts = {key: _text(row.get(name), name, key, reader.ids) for key, name in names.items()}
        except BadRow as error:
            reader.bad.add(f"{label} line {line}", error)
            continue
        lines.append(line)
        for key, text in texts.items():
            values[key].append(text)
    return {key: pa.array(column, pa.string()) for key, column in values.items()}, lines


def _text(value: Any, name: str, key: str, ids: tuple[str, ...]) -> str | None:
    """An id, a time or a label as text; None for a label that is absent."""
    needed = key in _NEEDED
    if value is None:
        if needed:
            raise BadRow("missing key", f"there is no {name!r} in the object")
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if key in ids:
        try:
            return id_text(value)
        except NotAnId as error:
            raise BadRow("wrong type", f"{name} {error}") from error
    if key == "time" and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise BadRow("wrong type", f"{name} {value!r} is neither text nor a number")
    return label_text(value)
