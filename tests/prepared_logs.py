"""Small logs, prepared and read back."""

import random
from pathlib import Path

import pandas as pd

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.data.protocol.options import PrepareSettings
from remi_tf.data.protocol.prepare import prepare_log
from remi_tf.data.tables.data_frames import read_frame
from remi_tf.data.tables.layouts import Columns

COLUMNS = Columns("user", "item", "time")
Row = tuple[str, str, int]


def prepare(rows: list[Row], folder: Path, **options):
    """Prepare rows through a DataFrame and open the result."""
    frame = pd.DataFrame(rows, columns=["user", "item", "time"])
    log = read_frame(frame, COLUMNS, time_unit="s")
    made_by = prepare_log(log, folder / "out", PrepareSettings(**options))
    return load_dataset(folder / "out"), made_by


def sequences(dataset, split: str) -> dict[str, list[str]]:
    """User → raw item ids, oldest first."""
    data = dataset.split(split)
    raw = dataset.vocabulary.raw_ids
    bounds = zip(data.offsets[:-1], data.offsets[1:], strict=True)
    return {user: raw(data.items[a:b]) for user, (a, b) in zip(dataset.user_ids(split), bounds, strict=True)}


def crowd(users: int = 20, items: int = 6, seed: int = 0) -> list[Row]:
    """A log in which everybody has every item, at random times."""
    draw = random.Random(seed)
    return [(f"u{u}", f"i{i}", draw.randrange(10**6)) for u in range(users) for i in range(items)]
