"""A log that may be larger than memory, as histories: spread over temporary files, then read one by one."""

import contextlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from remi_tf.data.dataset.catalogue import Catalogue
from remi_tf.data.tables.archives import ARCHIVES, SUFFIXES
from remi_tf.data.tables.layouts import Columns, Layout, TextForm
from remi_tf.data.tables.raw_log import Chunk, RawLog, assemble
from remi_tf.data.tables.reading import stream_log
from remi_tf.data.tables.rows import BadRows
from remi_tf.errors import InputError
from remi_tf.recommending.histories import Histories, from_log
from remi_tf.recommending.known import Known

PART_BYTES, MOST_PARTS = 32 << 20, 128
"""Text of a part, about (a whole part is held in memory), and the most parts."""
COMPRESSED = 8  # bytes of text in one byte of a Parquet or compressed file, usually at most
_PART = pa.schema([("user", pa.string()), ("item", pa.string()), ("time", pa.float64())])


@dataclass(frozen=True)
class LogFiles:
    """The files of a log, and how they are read.

    inputs: files of interactions as data/prepare.py reads them (CSV, TSV, JSON lines, Parquet, compressed or not).
    columns: which column holds what; without a time the order of rows is the order of time.
    time_unit: unit of the times, as data/prepare.py's.
    bad: what to do with bad rows, and where those that are skipped are counted; by default the first one stops.
    keep: a column and the values that its rows must have; None = all rows.
    form: separator, quotes and encoding of text files; None guesses the separator from each file.
    header: whether text files have a header line; without one `columns` (and that of `keep`) are indexes from 0.
    """

    inputs: Sequence[str | Path]
    columns: Columns
    time_unit: str = "auto"
    bad: BadRows = field(default_factory=BadRows)
    keep: tuple[str, tuple[str, ...]] | None = None
    form: TextForm | None = None
    header: bool = True

    @property
    def names(self) -> str:
        """The files in words."""
        return ", ".join(map(str, self.inputs))


def histories_of(
    log: LogFiles, folder: Path, catalogue: Catalogue, known: Known, progress: bool = True
) -> tuple[Iterator[Histories], int]:
    """The histories of all users of a log, part by part, and its number of interactions.

    The log is first spread over files in `folder`: all rows of a user are in one of them. Then they are read one by
    one. So memory is bounded by a part, for a log of any size.

    Args:
      folder: an empty folder for the parts; each is deleted when it has been read.
      known: where it is counted how much of the log the catalogue knows; the interactions before the first part, the
        users of each part when it is given.

    Raises:
      InputError: a file, column or row that cannot be used, or there is no row.
    """
    layout = Layout(log.columns, header=log.header, keep=log.keep)
    chunks = stream_log(log.inputs, layout, time_unit=log.time_unit, form=log.form, bad=log.bad)
    number = _number_of_parts([Path(path) for path in log.inputs])
    paths = [folder / str(part) for part in range(number)]
    unit, interactions = "none", 0
    with contextlib.ExitStack() as stack, interactions_bar("read", None, progress) as bar:
        writers = [stack.enter_context(pa.ipc.new_stream(str(path), _PART)) for path in paths]
        for chunk, read_in in chunks:
            batch, part_of = _part_rows(chunk, number)
            known.add_chunk(_dictionary(chunk, "user"), _dictionary(chunk, "item"), catalogue)
            for part in np.unique(part_of):
                writers[part].write_batch(batch.filter(pa.array(part_of == part)))
            unit, interactions = read_in, interactions + len(part_of)
            bar.update(len(part_of))
    if not interactions:
        raise InputError(f"{log.names}: there is no row to read")

    def parts() -> Iterator[Histories]:
        for path in paths:
            raw = _read_part(path, unit, log.columns.time is not None)
            path.unlink()
            if raw is not None:
                histories = from_log(raw)
                known.add_users(histories, catalogue)
                yield histories

    return parts(), interactions


def _read_part(path: Path, unit: str, has_times: bool) -> RawLog | None:
    with pa.ipc.open_stream(str(path)) as stream:
        table = stream.read_all()
    if not len(table):
        return None
    texts = {key: table[key].combine_chunks().dictionary_encode() for key in ("user", "item")}
    return assemble([Chunk(texts, table["time"].to_numpy() if has_times else None)], unit)


def _part_rows(chunk: Chunk, number: int) -> tuple[pa.RecordBatch, np.ndarray]:
    """The rows of a chunk and the part [n] of each, by a checksum of the user's id."""
    texts = {key: _dictionary(chunk, key) for key in ("user", "item")}
    users = texts["user"]
    part_of_user = np.array([zlib.crc32(name.encode()) % number for name in users.dictionary.to_pylist()], np.int64)
    part_of = part_of_user[users.indices.to_numpy()]
    times = np.zeros(len(users)) if chunk.times is None else chunk.times.astype(np.float64)
    arrays = [texts["user"].cast(pa.string()), texts["item"].cast(pa.string()), pa.array(times)]
    return pa.record_batch(arrays, schema=_PART), part_of


def _dictionary(chunk: Chunk, key: str) -> pa.DictionaryArray:
    column = chunk.texts[key]
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _number_of_parts(paths: Sequence[Path]) -> int:
    """Parts of about PART_BYTES of text."""
    text = 0
    for path in paths:
        packed = path.name.lower().endswith((".parquet", *SUFFIXES, *ARCHIVES))
        text += (path.stat().st_size if path.is_file() else 0) * (COMPRESSED if packed else 1)
    return min(1 + text // PART_BYTES, MOST_PARTS)


def interactions_bar(what: str, total: int | None, progress: bool) -> tqdm:
    """Counts interactions; shown only on a terminal."""
    return tqdm(desc=what, total=total, unit=" interactions", unit_scale=True, disable=None if progress else True)
