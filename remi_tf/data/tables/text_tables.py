"""Separated text → chunks. A clean block is parsed by Arrow; only a block with a bad row is read row by row."""

import io
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from remi_tf.data.tables.dates import is_written, written_times
from remi_tf.data.tables.ids import SPACES
from remi_tf.data.tables.layouts import Layout, find_column, find_index
from remi_tf.data.tables.quotes import NEVER_CLOSED, row_ends
from remi_tf.data.tables.raw_log import Chunk, encode
from remi_tf.data.tables.rows import BadRow, BadRows, bad_times, check_id, check_utf8, parse_time, split_records
from remi_tf.data.tables.streams import NEWLINE, Block, count_lines, read_blocks, some_rows
from remi_tf.errors import InputError

TEXT = pa.dictionary(pa.int32(), pa.string())
FEW_BYTES = 4 << 10  # so little text is read faster without Arrow
PIECE_BYTES = 128 << 10  # a block with a bad row is cut into pieces of this size; only the bad ones are read slowly


def time_types(unit: str) -> list[pa.DataType]:
    """How Arrow may read a column of times, the strictest way first."""
    if not is_written(unit):
        return [pa.int64(), pa.float64()]
    return [pa.timestamp("us", "UTC"), pa.timestamp("us"), TEXT] if unit == "iso" else [TEXT]


class TextReader:
    """Reads the files of one log.

    Attributes:
      unit: of the times of the file that is read.
      other_events: rows left out because `layout.keep` asks for other values.
    """

    def __init__(self, bad: BadRows, unit: str):
        self.bad = bad
        self.unit = unit
        self.other_events = 0
        self.time_type: pa.DataType | None = None

    def chunks(self, stream: IO[bytes] | io.RawIOBase, label: str, layout: Layout) -> Iterator[Chunk]:
        """The rows of one file; a file without rows gives none.

        Raises:
          InputError: a missing column, or a bad row under the policy `stop`.
        """
        table: _Table | None = None
        for block in read_blocks(stream, label, self.bad, layout.separator, layout.quote_rule, layout.encoding):
            if table is None:
                opened = _open_table(block, label, layout)
                if opened is None:
                    continue
                table, block = opened
            if block.data:
                yield from self._block(table, block)

    def _block(self, table: "_Table", block: Block) -> Iterator[Chunk]:
        if len(block.spans):
            _refuse_swallowed_rows(table, block, self.unit)
            self.bad.over_lines[table.label] += len(block.spans)
        chunk = None if block.unclosed else self._fast(table, block.data)
        if chunk is not None:
            yield chunk
            return
        ends = row_ends(block.data)
        position, line = 0, block.first_line
        while position < len(block.data):
            after = np.searchsorted(ends, min(position + PIECE_BYTES, len(block.data)))
            end = int(ends[after]) if after < len(ends) else len(block.data)
            piece = Block(block.data[position:end], line, block.unclosed)
            lines = count_lines(piece.data)
            held = any(line <= number < line + lines + 1 for number in block.unclosed)
            fast = None if held or len(piece.data) == len(block.data) else self._fast(table, piece.data)
            yield self._slow(table, piece) if fast is None else fast
            position, line = end, line + lines

    def _fast(self, table: "_Table", data: bytes) -> Chunk | None:
        """The rows of a block without any bad row, None if something is wrong."""
        if len(data) < FEW_BYTES or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n")):
            return None
        if (b"0x" in data or b"0X" in data) and table.time is not None and not is_written(self.unit):
            read = table.parse(data, pa.string())  # Arrow takes 0x10 for a number
            if read is None or pc.any(pc.match_substring_regex(read.column(str(table.time)), "[xX]")).as_py():
                return None
        candidates = [None] if table.time is None else time_types(self.unit)
        if self.time_type in candidates:
            candidates = candidates[candidates.index(self.time_type) :]
        for time_type in candidates:
            read = table.parse(data, time_type)
            if read is not None:
                break
        else:
            return None
        before = len(read)
        if table.keep is not None:
            events = pc.utf8_trim(read.column(str(table.keep)).cast(pa.string()), SPACES)
            read = read.filter(pc.is_in(events, table.kept))
        texts = {key: read.column(str(index)) for key, index in table.texts.items()}
        if any(_has_bad_id(texts[key], b'"' in data) for key in table.layout.ids):
            return None
        times = None
        if table.time is not None:
            column = read.column(str(table.time))
            if time_type == TEXT:
                times = written_times(column, self.unit)
            else:
                times = (column.cast(pa.int64()) if pa.types.is_timestamp(time_type) else column).to_numpy()
            if times is None or bad_times(times, self.unit):
                return None
        self.time_type = time_type
        self.bad.rows += before
        if table.keep is not None:
            self.other_events += before - len(read)
        return Chunk(texts, times)

    def _slow(self, table: "_Table", block: Block) -> Chunk:
        """The good rows of a block; each bad one goes to `bad` with its line."""
        values: dict[str, list[str]] = {key: [] for key in table.texts}
        times: list[int | float] = []
        for record in split_records(block.data, block.first_line, table.layout.separator, table.layout.quote_rule):
            self.bad.rows += 1
            try:
                if record.line in block.unclosed:
                    raise BadRow("quote never closed", NEVER_CLOSED)
                fields = record.fields
                table.check_width(fields)
                if table.keep is not None and fields[table.keep].strip() not in table.layout.kept:
                    self.other_events += 1
                    continue
                for key in table.layout.ids:
                    check_id(fields[table.texts[key]], table.names[table.texts[key]])
                texts = [check_utf8(fields[index], table.names[index]) for index in table.texts.values()]
                if table.time is not None:
                    times.append(parse_time(fields[table.time], table.names[table.time], self.unit))
                for column, text in zip(values.values(), texts, strict=True):
                    column.append(text)
            except BadRow as error:
                self.bad.add(f"{table.label} line {record.line}", error)
        array = np.array(times, dtype=None if times else np.int64) if table.time is not None else None
        return Chunk({key: encode(column) for key, column in values.items()}, array)


class _Table:
    """The columns of one open file: indexes of the used ones, names for messages."""

    def __init__(self, label: str, layout: Layout, first: list[str]):
        self.label, self.layout = label, layout
        self.width = len(first) if layout.header else layout.num_columns or len(first)

        indexes = {key: self._index(column, first) for key, column in layout.by_key().items()}
        self.time: int | None = indexes.pop("time", None)
        self.keep: int | None = indexes.pop("event", None)
        self.kept = pa.array(layout.kept, pa.string())
        self.texts: dict[str, int] = indexes
        named = first if layout.header else [layout.names.get(i, f"column {i}") for i in range(self.width)]
        self.names = [name.strip() for name in named]

    def _index(self, column: str, first: list[str]) -> int:
        if not self.layout.header:
            return find_index(column, self.width, self.label)
        remedy = "; if the file has no header: --no_header, and columns are numbers from 0"
        return find_column(column, first, self.label, remedy)

    def check_width(self, fields: list[str]) -> None:
        """Raise BadRow if a row has too few or too many columns."""
        if len(fields) != self.width:
            reason = "too few columns" if len(fields) < self.width else "too many columns"
            quoted = self.layout.quote_rule == "tab" and any('"' in field for field in fields)
            hint = " (do quotes enclose tabs or line ends here? give --quotes csv)" if quoted else ""
            columns = f"{len(fields)} column{'s' * (len(fields) != 1)}"
            raise BadRow(reason, f"{columns} where {self.width} are expected{hint}")

    def parse(self, data: bytes, time_type: pa.DataType | None) -> pa.Table | None:
        """The used columns (named by their index) through Arrow, None if it finds a row it cannot read."""
        separator = self.layout.separator
        if len(separator) > 1:  # Arrow knows separators of one byte only
            if b"\x1f" in data:
                return None
            data, separator = data.replace(separator.encode(), b"\x1f"), "\x1f"
        used = sorted({*self.texts.values(), *([self.time] if self.time is not None else []), *self._keep_column()})
        types = {str(i): time_type if i == self.time else TEXT for i in used}
        quoted = self.layout.quote_rule != "none" and b'"' in data
        try:
            return csv.read_csv(
                pa.BufferReader(data),
                csv.ReadOptions(column_names=[str(i) for i in range(self.width)], block_size=2 << 20),
                csv.ParseOptions(delimiter=separator, quote_char='"' if quoted else False, newlines_in_values=quoted),
                csv.ConvertOptions(include_columns=list(types), column_types=types, null_values=[]),
            )
        except (pa.ArrowInvalid, pa.ArrowKeyError):
            return None

    def _keep_column(self) -> list[int]:
        return [] if self.keep is None else [self.keep]


def _has_bad_id(column: pa.ChunkedArray, quoted: bool) -> bool:
    """Whether a dictionary holds an empty id or one with a line break; the slow path then looks for the row."""
    for chunk in column.chunks:
        texts = chunk.dictionary
        if quoted and pc.any(pc.match_substring_regex(texts, r"[\r\n]")).as_py():
            return True
        if pc.any(pc.equal(pc.utf8_trim(texts, SPACES), "")).as_py():
            return True
    return False


def sample_times(stream: IO[bytes] | io.RawIOBase, label: str, layout: Layout) -> list[str]:
    """Some of the times, as text, from all over a file."""
    table: _Table | None = None
    samples: list[str] = []
    for block in read_blocks(stream, label, BadRows("skip"), layout.separator, layout.quote_rule, layout.encoding):
        if table is None:
            opened = _open_table(block, label, layout)
            if opened is None:
                continue
            table, block = opened
        column = table.texts["times"] if table.time is None else table.time
        for row in some_rows(block.data):
            for record in split_records(row, 1, layout.separator, layout.quote_rule):
                if len(record.fields) == table.width:
                    samples.append(record.fields[column])
    return samples


def _open_table(block: Block, label: str, layout: Layout) -> tuple[_Table, Block] | None:
    """The table's columns, by the header or the first row, and the block without its header; None without any row."""
    first = next(split_records(block.data, block.first_line, layout.separator, layout.quote_rule), None)
    if first is None:
        return None
    table = _Table(label, layout, first.fields)
    if not layout.header:
        return table, block
    lines = first.line + first.lines - block.first_line
    position = 0
    for _ in range(lines):
        position = block.data.find(NEWLINE, position) + 1 or len(block.data)
    spans = block.spans[block.spans[:, 0] >= position] - position
    return table, Block(block.data[position:], block.first_line + lines, block.unclosed, spans)


def _refuse_swallowed_rows(table: _Table, block: Block, unit: str) -> None:
    """Raise InputError if a quoted field over line ends consists of rows: then its quotes are plain characters."""
    if table.layout.quotes != "auto" or table.layout.quote_rule != "csv" or table.time is None:
        return
    separator = table.layout.separator
    for begin, end in block.spans.tolist():
        lines = block.data[begin:end].decode("utf-8", "surrogateescape").rstrip("\r\n").split("\n")
        if not all(line.count(separator) == table.width - 1 for line in reversed(lines)):
            continue
        try:
            for line in lines:
                parse_time(line.removesuffix("\r").split(separator)[table.time].strip('"'), "time", unit)
        except BadRow:
            continue
        number = block.first_line + count_lines(block.data[:begin])
        raise InputError(
            f"{table.label} line {number}: a quote opens here and closes {len(lines) - 1} lines below, and each of "
            "these lines is a row by itself; give --quotes none if quotes are plain characters in this file, "
            "--quotes csv if this is one field"
        )
