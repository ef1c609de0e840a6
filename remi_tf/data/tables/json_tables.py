"""JSON lines, or one JSON array → chunks. A clean block of lines is parsed by Arrow, others object by object."""

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from remi_tf.data.tables.frames import TypedReader
from remi_tf.data.tables.ids import NotAnId, id_text
from remi_tf.data.tables.json_objects import (
    Line,
    Repeated,
    Stream,
    is_array,
    json_objects,
    parse_object,
    read_array,
    some_objects,
)
from remi_tf.data.tables.labels import label_text
from remi_tf.data.tables.layouts import Layout
from remi_tf.data.tables.raw_log import Chunk
from remi_tf.data.tables.rows import BadRow, check_utf8
from remi_tf.data.tables.streams import NEWLINE, Block, decoded, read_blocks

Types = dict[str, pa.DataType]
FEW_BYTES = 4 << 10  # so little text is read faster without Arrow


def read_json(stream: Stream, start: bytes, label: str, layout: Layout, reader: TypedReader) -> Iterator[Chunk]:
    """The rows of one file of JSON objects, one per line or in one array; `start` is the first bytes of the file.

    Raises:
      InputError: under the policy `stop` a line that is not an object or lacks a key.
    """
    names = layout.by_key()
    types: Types | None = None
    if is_array(decoded(start, layout.encoding)):
        for objects in read_array(stream, label, reader.bad, layout.encoding):
            yield _chunk(iter(objects), names, label, reader)
        return
    for block in read_blocks(stream, label, reader.bad, "\n", encoding=layout.encoding):
        types = _guess_types(block, names) if types is None else types
        columns = _fast(block, names, types)
        if columns is None:
            yield _chunk(json_objects(block, label, reader.bad), names, label, reader)
        else:
            first = block.first_line
            reader.bad.rows += len(columns["user"])
            yield reader.chunk(columns, names, lambda row, first=first: f"{label} line {first + row}")  # type: ignore[misc]


def sample_times(stream: Stream, start: bytes, label: str, layout: Layout) -> list[str]:
    """Some of the times, as text, from all over a file."""
    column = layout.columns.time or ""
    values = [row.get(column) for row in some_objects(stream, start, label, layout.encoding)]
    return [label_text(value) for value in values if not isinstance(value, bool) and label_text(value)]


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
    if len(block.data) < FEW_BYTES or not _only_objects(block.data):
        return None
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
    columns = {key: table.column(name).combine_chunks() for key, name in names.items()}
    if len(table) != lines or any(columns[key].null_count for key in names if key in _NEEDED):
        return None
    for key, column in columns.items():
        if pa.types.is_floating(column.type) and not (_finite(column) if key == "time" else _whole(column)):
            return None  # NaN is said to be none by the other way; Arrow writes 1e-7 where Python writes 1e-07
    return columns


def _only_objects(data: bytes) -> bool:
    """Whether each line begins with { and ends with }: Arrow must see nothing else, a line `null` makes it crash."""
    text = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(text == NEWLINE[0])
    starts = np.concatenate(([0], ends + 1))
    starts = starts[starts < len(text)]
    last = ends - 1 - (text[np.maximum(ends - 1, 0)] == ord("\r"))
    if not data.rstrip(b"\r\n").endswith(b"}"):
        return False
    return bool(np.all(text[starts] == ord("{")) and np.all(text[np.maximum(last, 0)] == ord("}")))


def _finite(column: pa.Array) -> bool:
    return pc.all(pc.is_finite(column)).as_py() is True


def _whole(column: pa.Array) -> bool:
    """Whether all numbers are whole and as exact as a float can say."""
    exact = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), 2.0**53))
    return pc.all(exact, skip_nulls=False).as_py() is True


_NEEDED = ("user", "item", "time")


def _chunk(objects: Iterator[Line], names: dict[str, str], label: str, reader: TypedReader) -> Chunk:
    """The good rows of some objects, read one by one."""
    values: dict[str, list[str | None]] = {key: [] for key in names}
    lines = []
    for line, row in objects:
        try:
            texts = {key: text_of(row, name, _kind(key, reader.ids), key in _NEEDED) for key, name in names.items()}
        except BadRow as error:
            reader.bad.add(f"{label} line {line}", error)
            continue
        lines.append(line)
        for key, text in texts.items():
            values[key].append(text)
    columns = {key: pa.array(column, pa.string()) for key, column in values.items()}
    return reader.chunk(columns, names, lambda row: f"{label} line {lines[row]}")


def _kind(key: str, ids: tuple[str, ...]) -> str:
    return "id" if key in ids else "time" if key == "time" else "label"


def text_of(row: dict[str, Any], name: str, kind: str, needed: bool) -> str | None:
    """An id, a time or a label (`kind`) of an object as text; None for one that is absent.

    Raises:
      BadRow: it is needed and is not there, is no id or no time, or the key stands there twice.
    """
    value = row.get(name)
    if isinstance(row, Repeated) and name in row.keys_twice:
        raise BadRow("key twice", f"{name!r} stands in the object more than once")
    if isinstance(value, str):
        return check_utf8(value, name)
    if isinstance(value, float) and not math.isfinite(value):
        if needed:
            raise BadRow("not a number", f"{name} is {json.dumps(value)}, which is no value")
        return None
    if value is None:
        if needed:
            raise BadRow("missing key", f"there is no {name!r} in the object")
        return None
    if kind == "id":
        try:
            return id_text(value)
        except NotAnId as error:
            raise BadRow("wrong type", f"{name} {error}") from error
    if kind == "time" and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise BadRow("wrong type", f"{name} {value!r} is neither text nor a number")
    return check_utf8(label_text(value), name)
