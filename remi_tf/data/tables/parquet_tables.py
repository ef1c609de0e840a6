"""Parquet → chunks."""

import io
from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.parquet as parquet

from remi_tf.data.tables.frames import TypedReader
from remi_tf.data.tables.labels import label_text
from remi_tf.data.tables.layouts import Layout, find_column
from remi_tf.data.tables.raw_log import Chunk
from remi_tf.errors import InputError

BATCH_SAMPLES = 2000  # rows of a batch that show the unit of the times


def read_parquet(stream: IO[bytes], label: str, layout: Layout, reader: TypedReader) -> Iterator[Chunk]:
    """The rows of one file.

    Raises:
      InputError: not a Parquet file, a missing column, or a bad row under the policy `stop`.
    """
    try:
        file = parquet.ParquetFile(stream if stream.seekable() else io.BytesIO(stream.read()))
        names = layout.by_key()
        schema = file.schema_arrow.names
        indexes = {key: find_column(column, schema, label) for key, column in names.items()}
        row = 1
        for batch in file.iter_batches(columns=sorted({schema[index] for index in indexes.values()})):
            columns = {key: batch.column(schema[index]) for key, index in indexes.items()}
            yield reader.chunk(columns, names, lambda index, row=row: f"{label} row {row + index}")  # type: ignore[misc]
            row += len(batch)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{label}: not a readable Parquet file ({error})") from error


def sample_times(stream: IO[bytes], label: str, layout: Layout) -> list[str]:
    """Some of the times, as text, from all over a file."""
    assert layout.columns.time is not None
    try:
        file = parquet.ParquetFile(stream if stream.seekable() else io.BytesIO(stream.read()))
        names = file.schema_arrow.names
        name = names[find_column(layout.columns.time, names, label)]
        samples: list[str] = []
        for batch in file.iter_batches(columns=[name]):
            values = batch.column(0)[:: max(1, len(batch) // BATCH_SAMPLES)]
            samples += [
                label_text(value) for value in values.cast(_plain(values.type)).to_pylist() if value is not None
            ]
        return samples
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise InputError(f"{label}: not a readable Parquet file ({error})") from error


def _plain(kind: pa.DataType) -> pa.DataType:
    """Dates are sampled as text, so that they are taken for dates whatever their range."""
    return pa.string() if pa.types.is_timestamp(kind) or pa.types.is_date(kind) else kind
