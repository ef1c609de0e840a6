"""Recommendations for every user of a log that may be larger than memory: files of interactions in, Parquet out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from absl import logging
from pyarrow import parquet
from tqdm import tqdm

from remi_tf.errors import InputError
from remi_tf.files import atomic_file, parts_folder
from remi_tf.recommending.choices import Choices
from remi_tf.recommending.histories import Histories
from remi_tf.recommending.known import Known
from remi_tf.recommending.log_parts import LogFiles, histories_of, interactions_bar
from remi_tf.recommending.profiles import Profiles
from remi_tf.recommending.recommender import Recommender

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


def score_files(
    recommender: Recommender,
    log: LogFiles,
    output: str | Path,
    choices: Choices,
    *,
    profiles: Any = None,
    known: Known | None = None,
    allow_unknown: bool = False,
    progress: bool = True,
) -> dict[str, int]:
    """Write the best items for every user of a log to a Parquet file, whole or not at all. Replaces an existing file.

    The log is spread over temporary files in a folder next to `output` (log_parts.py), so memory is bounded by a part
    and a batch, for a log of any size.

    Args:
      profiles: as `Recommender.recommend`; users are named by texts.
      known: where it is counted how much of the log the catalogue knows, with examples of what it does not.
      allow_unknown: go on if the catalogue knows no item of the log at all; everybody gets popular items then.

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
        parts, interactions = histories_of(log, folder, recommender.catalogue, known, progress)
        if known.nothing and not allow_unknown:
            raise InputError(
                f"{known.nothing_of(log.names, recommender.catalogue)}; --allow_unknown gives everybody popular items"
            )
        with (
            atomic_file(output, "wb") as file,
            parquet.ParquetWriter(file, SCHEMA) as writer,
            interactions_bar("recommend", interactions, progress) as bar,
        ):
            for histories in parts:
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
