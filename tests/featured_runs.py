"""A small run whose items have features, some of them hidden from training."""

from pathlib import Path

import numpy as np
import pandas as pd

import remi_tf
from remi_tf.api import Run

GENRES = ("Crime", "Cooking", "Travel", "Poetry")


def log(users: int = 60, items: int = 40) -> pd.DataFrame:
    """Users who read books of two genres; a book's genre is its number modulo 4."""
    draw = np.random.default_rng(0)
    rows = []
    for user in range(users):
        liked = draw.choice(4, 2, replace=False)
        books = [book for book in draw.permutation(items) if book % 4 in liked][:12]
        rows += [(f"u{user}", f"b{book}", 1_000_000 + place) for place, book in enumerate(books)]
    return pd.DataFrame(rows, columns=["user", "item", "time"])


def table(items: int = 40) -> pd.DataFrame:
    """What is known of the books."""
    rows = [(f"b{n}", f"Book number {n}", GENRES[n % 4], n / 2) for n in range(items)]
    return pd.DataFrame(rows, columns=["item", "title", "genre", "price"])


def prepared(folder: Path, **options) -> Path:
    """The dataset folder."""
    table().to_csv(folder / "items.csv", index=False)
    remi_tf.prepare(
        log(), folder / "data", user_col="user", item_col="item", time_col="time", time_unit="s", min_count=1,
        items=folder / "items.csv", item_features="genre:category,price:number", **options,
    )  # fmt: skip
    return folder / "data"


def trained(folder: Path, data: Path, **settings) -> Run:
    """A run of a few steps."""
    small = {"num_negatives": 20, "embedding_dim": 8, "batch_size": 16, "eval_every": 20, "max_steps": 40}
    return remi_tf.train(data, "SA", run_dir=folder / "run", **{**small, "boost": "counted", **settings})
