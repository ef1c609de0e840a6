"""Recommendations for every user of a log that may be larger than memory: files of interactions in, Parquet out."""

import contextlib
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from absl import logging
from pyarrow import parquet
from tqdm import tqdm

from remi_tf.data.dataset.catalogue import Catalogue
from remi_tf.data.tables.archives import ARCHIVES, SUFFIXES
from remi_tf.data.tables.layouts import Columns, Layout, TextForm
from remi_tf.data.tables.raw_log import Chunk, RawLog, assemble
from remi_tf.data.tables.reading import stream_log
from remi_tf.data.tables.rows import BadRows
from remi_tf.errors import InputError
from remi_tf.files import atomic_file, parts_folder
from remi_tf.recommending.choices import Choices
from remi_tf.recommending.histories import Histories, from_log
from remi_tf.recommending.known import Known
from remi_tf.recommending.profiles import Profiles
from remi_tf.recommending.recommender import Recommender

PART_BYTES, MOST_PARTS = 32 << 20, 128
"""Text of a part, about (a whole part is held in memory), and the most parts."""
COMPRESSED = 8  # bytes of text in one byte of a Parquet or compressed file, usually at most
ROWS = 1 << 18  # rows of a row group that is written
SCHEMA = pa.schema(
    [
        ("user", pa.string()),
        ("rank", pa.int32()),
        ("item", pa.string()),
        ("score", pa.float32()),
        ("interest", pa.int32()),
    ]
)
_PART = pa.schema([("user", pa.string()), ("item", pa.string()), ("time", pa.float64())])


def score_files(
    recommender: Recommender,
    inputs: Sequence[str | Path],
    output: str | Path,
    columns: Columns,
    choices: Choices,
    *,
    time_unit: str = "auto",
    profiles: Any = None,
    bad: BadRows | None = None,
    known: Known | None = None,
    allow_unknown: bool = False,
    keep: tuple[str, tuple[str, ...]] | None = None,
    form: TextForm | None = None,
    progress: bool = True,
) -> dict[str, int]:
    """Write the best items for every user of a log to a Parquet file, whole or not at all. Replaces an existing file.

    The log is first spread over temporary files (parts) in a folder next to `output`. All rows of a user are in one
    part. Then the parts are answered one by one. So memory is bounded by a part and a batch, for a log of any size.

    Args:
      inputs: files of interactions as data/prepare.py reads them (CSV, TSV, JSON lines, Parquet, compressed or not).
      columns: which column holds what; without a time the order of rows is the order of time.
      time_unit: unit of the times, as data/prepare.py's.
      profiles: as `Recommender.recommend`; users are named by texts.
      bad: what to do with bad rows, and where those that are skipped are counted; None stops at the first.
      known: where it is counted how much of the log the catalogue knows, with examples of what it does not.
      allow_unknown: go on if the catalogue knows no item of the log at all; everybody gets popular items then.
      keep: a column and the values that its rows must have; None = all rows.
      form: separator, quotes and encoding of text files; None guesses the separator from each file.

    Returns:
      users and rows: how many were answered and written; interactions; known_interactions and known_users: how many of
      them are known. The columns of the file are those of `SCHEMA`; a user's rows are together, best first, the users
      are in no particular order. Users are texts, whatever they were in the log.

    Raises:
      InputError: a file, column or row that cannot be used, no item of the log is known, another process is writing
        `output`, or as `Recommender.recommend`.
      OSError: the disk is full; the message names `output`.
    """
    output = Path(output)
    rows, known, of_users = 0, known or Known(), recommender.profiles(profiles)
    with parts_folder(output) as folder:
        chunks = stream_log(inputs, Layout(columns, keep=keep), time_unit=time_unit, form=form, bad=bad or BadRows())
        parts, interactions = _spread(
            chunks, columns.time is not None, inputs, folder, progress, known, recommender.catalogue
        )
        if known.nothing and not allow_unknown:
            raise InputError(
                f"{', '.join(map(str, inputs))}: no item of the {known.interactions:,} interactions is known; "
                f"{known.why(recommender.catalogue)}; --allow_unknown gives everybody popular items"
            )
        with (
            atomic_file(output, "wb") as file,
            parquet.ParquetWriter(file, SCHEMA) as writer,
            _bar("recommend", interactions, progress) as bar,
        ):
            for log in parts:
                histories = from_log(log)
                known.add_users(histories, recommender.catalogue)
                for table in _answered(recommender, histories, choices, of_users, bar):
                    writer.write_table(table)
                    rows += len(table)
            if message := of_users.verdict():
                logging.warning("%s", message)
    return {
        "users": known.users,
        "rows": rows,
        "interactions": known.interactions,
        "known_interactions": known.known_interactions,
        "known_users": known.known_users,
    }


def _answered(
    recommender: Recommender,
    histories: Histories,
    choices: Choices,
    profiles: Profiles,
    bar: tqdm,
) -> Iterator[pa.Table]:
    """Tables of at most about ROWS rows."""
    names = np.array(histories.users, object)
    lengths = np.diff(histories.offsets)
    pieces, size = [], 0
    for answer in recommender.answers(histories, choices, profiles):
        part = answer.columns()
        pieces.append(pa.table({**part, "user": names[part["user"]]}, SCHEMA))
        size += len(pieces[-1])
        bar.update(int(lengths[answer.users].sum()))
        if size >= ROWS:
            yield pa.concat_tables(pieces)
            pieces, size = [], 0
    if pieces:
        yield pa.concat_tables(pieces)


def _spread(
    chunks: Iterator[tuple[Chunk, str]],
    has_times: bool,
    inputs: Sequence[str | Path],
    folder: Path,
    progress: bool,
    known: Known,
    catalogue: Catalogue,
) -> tuple[Iterator[RawLog], int]:
    """The log as parts (all rows of a user are in one part), and its number of rows."""
    number = _number_of_parts([Path(path) for path in inputs])
    paths = [folder / str(part) for part in range(number)]
    unit, interactions = "none", 0
    with contextlib.ExitStack() as stack, _bar("read", None, progress) as bar:
        writers = [stack.enter_context(pa.ipc.new_stream(str(path), _PART)) for path in paths]
        for chunk, read_in in chunks:
            batch, part_of = _part_rows(chunk, number)
            known.add_chunk(_dictionary(chunk, "user"), _dictionary(chunk, "item"), catalogue)
            for part in np.unique(part_of):
                writers[part].write_batch(batch.filter(pa.array(part_of == part)))
            unit, interactions = read_in, interactions + len(part_of)
            bar.update(len(part_of))
    if not interactions:
        raise InputError(f"{', '.join(map(str, inputs))}: no row to recommend for")

    def parts() -> Iterator[RawLog]:
        for path in paths:
            with pa.ipc.open_stream(str(path)) as stream:
                table = stream.read_all()
            path.unlink()
            if len(table):
                texts = {key: table[key].combine_chunks().dictionary_encode() for key in ("user", "item")}
                times = table["time"].to_numpy() if has_times else None
                yield assemble([Chunk(texts, times)], unit)

    return parts(), interactions


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


def _bar(what: str, total: int | None, progress: bool) -> tqdm:
    """Counts interactions; shown only on a terminal."""
    return tqdm(desc=what, total=total, unit=" interactions", unit_scale=True, disable=None if progress else True)
