"""Files, a DataFrame or a named source → one raw log."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from remi_tf.data.tables.frames import TypedReader
from remi_tf.data.tables.json_tables import read_json
from remi_tf.data.tables.layouts import Columns, Layout, find_column, kind_of, sniff
from remi_tf.data.tables.raw_log import Chunk, RawLog, assemble
from remi_tf.data.tables.rows import BadRows
from remi_tf.data.tables.sources import Source, find_layout
from remi_tf.data.tables.streams import BROKEN, Member, open_members
from remi_tf.data.tables.text_tables import TextReader
from remi_tf.errors import InputError

START_BYTES = 64 << 10
FRAME_REMEDY = (
    "mend it, drop rows without a value (frame.dropna()), or, where an id such as NA was taken for none, read ids as "
    "text (pd.read_csv(…, dtype=str, keep_default_na=False))"
)
UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "iso": "ISO dates", "none": "order numbers"}


def read_log(
    paths: Sequence[str | Path],
    layout: Layout | Source,
    *,
    time_unit: str | None = None,
    separator: str | None = None,
    on_bad_row: str = "stop",
) -> RawLog:
    """Read the files of one log, in the order given.

    Args:
      layout: a named source, or the columns; then kind and separator (unless it is given) are guessed for each file.
      time_unit: s, ms, us, iso, auto, none (numbers that only give an order); None = what the source says.

    Raises:
      InputError: a file, a column or (under `stop`) a row that cannot be used.
    """
    reader = _LogReader(layout, time_unit, separator, BadRows(on_bad_row))
    log = assemble(list(_chunks(paths, reader)), reader.unit)
    log.files = [{"file": Path(path).name} for path in paths]
    _report(log, reader, time_unit)
    return log


def stream_log(
    paths: Sequence[str | Path], layout: Layout, *, time_unit: str | None = None, bad: BadRows
) -> Iterator[tuple[Chunk, str]]:
    """As `read_log`, but for logs larger than memory: gives chunks, each with the unit of its times.

    Args:
      bad: what to do with bad rows, and where those that are skipped are counted.

    Raises:
      InputError: as `read_log`, when the chunk is read.
    """
    reader = _LogReader(layout, time_unit, None, bad)
    for chunk in _chunks(paths, reader):
        yield chunk, reader.unit


def _chunks(paths: Sequence[str | Path], reader: "_LogReader") -> Iterator[Chunk]:
    wanted = reader.layout.wanted if isinstance(reader.layout, Source) else None
    with open_members(paths, reader.bad, wanted) as members:
        for member in members:
            yield from reader.chunks(member)


def read_frame(frame: pd.DataFrame, columns: Columns, *, time_unit: str = "auto", on_bad_row: str = "stop") -> RawLog:
    """The log in a DataFrame; rows are named by their position from 0 in messages."""
    bad = BadRows(on_bad_row, FRAME_REMEDY)
    reader = TypedReader(bad, time_unit)
    chosen: dict[str, pa.Array] = {}
    for key, column in columns.by_key().items():
        index = find_column(column, [str(name) for name in frame.columns], "the frame")
        chosen[key] = _series_array(frame.iloc[:, index])
    log = assemble([reader.chunk(chosen, columns.by_key(), lambda row: f"the frame row {row}")], reader.unit)
    log.dropped.update(bad.counts)
    log.notes += bad.examples
    if columns.time is not None and time_unit == "auto":
        log.notes.append(f"times were read as {UNIT_NAMES[log.unit]} (auto); give time_unit for another unit")
    return log


def _series_array(series: pd.Series) -> pa.Array:
    try:
        array = pa.Array.from_pandas(series)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # a column of mixed types
        array = pa.array([None if pd.isna(value) else _text(value) for value in series], pa.string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


class _LogReader:
    """Sends every file to the reader of its kind; one time unit for the whole log."""

    def __init__(self, layout: Layout | Source, time_unit: str | None, separator: str | None, bad: BadRows):
        self.layout = layout
        self.time_unit = time_unit
        self.separator = separator
        self.bad = bad
        self.text: TextReader | None = None
        self.unit = "auto"
        self.other_events = 0

    def chunks(self, member: Member) -> Iterator[Chunk]:
        """The rows of one file."""
        with member.open() as stream:
            try:
                start = stream.read(START_BYTES)
            except BROKEN as error:
                raise InputError(f"{member.label}: cannot be read ({error}); fetch it again") from error
        layout = self._layout_of(member, start)
        if self.unit == "auto":
            self.unit = self.time_unit or layout.time_unit
        if layout.columns.time is None:
            self.unit = "none"
        with member.open() as stream:
            if layout.kind == "text":
                yield from self._text(stream, member, layout)
            else:
                typed = TypedReader(self.bad, self.unit)
                read = read_json if layout.kind == "json" else _read_parquet
                for chunk in read(stream, member.label, layout, typed):
                    self.unit = typed.unit
                    yield chunk

    def _text(self, stream: IO[bytes], member: Member, layout: Layout) -> Iterator[Chunk]:
        reader = self.text = self.text or TextReader(self.bad, self.unit)
        reader.unit = self.unit
        for chunk in reader.chunks(stream, member.label, layout):
            self.unit, self.other_events = reader.unit, reader.other_events
            yield chunk
        self.other_events = reader.other_events

    def _layout_of(self, member: Member, start: bytes) -> Layout:
        if isinstance(self.layout, Source):
            layout = find_layout(self.layout, member.name, start)
            return replace(layout, separator=self.separator) if self.separator else layout
        kind = kind_of(member.name, start)
        if kind != "text":
            return replace(self.layout, kind=kind)
        separator = sniff(start, member.name, self.separator)[1]
        return replace(self.layout, separator=separator, quoting=len(separator) == 1 and self.layout.quoting)


def _read_parquet(stream: IO[bytes], label: str, layout: Layout, reader: TypedReader) -> Iterator[Chunk]:
    try:
        file = parquet.ParquetFile(stream if stream.seekable() else io.BytesIO(stream.read()))
        names = layout.columns.by_key()
        schema = file.schema_arrow.names
        indexes = {key: find_column(column, schema, label) for key, column in names.items()}
        row = 1
        for batch in file.iter_batches(columns=sorted({schema[index] for index in indexes.values()})):
            columns = {key: batch.column(schema[index]) for key, index in indexes.items()}
            yield reader.chunk(columns, names, lambda index, row=row: f"{label} row {row + index}")  # type: ignore[misc]
            row += len(batch)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{label}: not a readable Parquet file ({error})") from error


def _report(log: RawLog, reader: _LogReader, time_unit: str | None) -> None:
    """Put into the log what was left out and what was assumed."""
    if reader.other_events:
        log.dropped["rows of other events"] = reader.other_events
    log.dropped.update({f"bad rows: {reason}": count for reason, count in reader.bad.counts.items()})
    log.notes += [f"skipped {example}" for example in reader.bad.examples]
    if log.times is not None and time_unit in (None, "auto") and log.unit in UNIT_NAMES:
        how = "as this source has them" if isinstance(reader.layout, Source) else "guessed from their size"
        log.notes.append(f"times were read as {UNIT_NAMES[log.unit]} ({how}); give --time_unit for another unit")
