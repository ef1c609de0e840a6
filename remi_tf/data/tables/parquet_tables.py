"""Parquet files, a batch of rows at a time: texts that repeat are held once, so memory follows the batch."""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import IO

import pyarrow as pa
import pyarrow.parquet as parquet

from remi_tf.data.tables.archives import BROKEN, Started
from remi_tf.data.tables.frames import TypedReader
from remi_tf.data.tables.labels import label_text
from remi_tf.data.tables.layouts import Layout, find_column
from remi_tf.data.tables.raw_log import Chunk
from remi_tf.errors import InputError

Pick = Callable[[list[str]], Sequence[int | None]]  # names of the columns → indexes of those to read
BATCH_ROWS = 1 << 16
BATCH_SAMPLES = 2000  # rows of a batch that show the unit of the times


def read_parquet(file: IO[bytes], started: Started, label: str, layout: Layout, reader: TypedReader) -> Iterator[Chunk]:
    """The rows of one file.

    Raises:
      InputError: not a readable Parquet file, a missing column, or a bad row under the policy `stop`.
    """
    names = layout.by_key()
    row = 1
    for batch in parquet_batches(
        file, started, label, lambda schema: [find_column(column, schema, label) for column in names.values()]
    ):
        columns = {key: column for key, column in zip(names, batch, strict=True) if column is not None}
        rows = len(columns["user"])
        reader.bad.rows += rows
        yield reader.chunk(columns, names, lambda index, row=row: f"{label} row {row + index}")  # type: ignore[misc]
        row += rows


def sample_times(file: IO[bytes], started: Started, label: str, layout: Layout) -> list[str]:
    """Some of the times, as text, from all over a file."""
    wanted, samples = layout.columns.time or "", list[str]()
    for (column,) in parquet_batches(file, started, label, lambda schema: [find_column(wanted, schema, label)]):
        assert column is not None
        values = column[:: max(1, len(column) // BATCH_SAMPLES)]
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
            values = values.cast(pa.string())  # so that they are taken for dates whatever their range
        samples += [label_text(value) for value in values.to_pylist() if value is not None]
    return [text for text in samples if text]


def parquet_batches(file: IO[bytes], started: Started, label: str, pick: Pick) -> Iterator[list[pa.Array | None]]:
    """The picked columns of some rows at a time, None for those not there; texts come with a dictionary.

    Args:
      file: the member as opened, `started` the same, of which the start was read.

    Raises:
      InputError: not a readable Parquet file.
    """
    try:
        source = file if isinstance(file, io.BufferedReader) else io.BytesIO(started.read())
        schema = parquet.read_schema(source)
        names = schema.names
        indexes = pick(names)
        repeated = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
        used = sorted({names[index] for index in indexes if index is not None})
        if twice := repeated.intersection(used):
            raise InputError(f"{label}: more than one column is called {min(twice)!r}; rename all but one")
        source.seek(0)
        texts = [name for name in used if _is_text(schema.field(name).type)]
        table = parquet.ParquetFile(source, read_dictionary=texts)
        for batch in table.iter_batches(BATCH_ROWS, columns=used):
            yield [None if index is None else batch.column(names[index]) for index in indexes]
    except (*BROKEN, pa.ArrowException) as error:
        raise InputError(f"{label}: not a readable Parquet file ({error}); write it again") from error


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
