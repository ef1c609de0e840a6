"""The items of a log: what serving needs of a dataset. Every dataset folder and every run folder holds them."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from remi_tf.data.dataset.profiles import ProfileColumn
from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.data.features.store import Features, feature_files, load_features
from remi_tf.flat_files import read_lines

ITEMS, TITLES, CATEGORIES, CATEGORY_NAMES = "items.txt", "titles.txt", "categories.npy", "category_names.txt"


@dataclass(frozen=True)
class Catalogue:
    """Only the items.

    fingerprint: SHA-256 over the checksums of the dataset's files; the same fingerprint means the same data.
    num_items: I, padding not counted.
    profile_columns: columns of the users' profiles, empty where the log has none.
    num_cold: so many of the last items are hidden from training.
    removed: [n] int32 rows that no list holds.
    held: keeps the folder `path` alive if it is a temporary one.
    """

    path: Path
    name: str
    fingerprint: str
    num_items: int
    profile_columns: tuple[ProfileColumn, ...] = field(default=(), kw_only=True)
    num_cold: int = field(default=0, kw_only=True)
    removed: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32), kw_only=True, compare=False)
    held: Any = field(default=None, kw_only=True, repr=False, compare=False)

    @property
    def profile_sizes(self) -> tuple[int, ...]:
        """How many values each profile column has."""
        return tuple(column.size for column in self.profile_columns)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary.load(self.path / ITEMS)

    @cached_property
    def titles(self) -> list[str] | None:
        """Title of row 1, 2, …, or None where the log has none."""
        path = self.path / TITLES
        return read_lines(path) if path.exists() else None

    @cached_property
    def categories(self) -> np.ndarray | None:
        """[I + 1] int32 category of each row (0 = unknown), or None where the log has none."""
        path = self.path / CATEGORIES
        return np.load(path, allow_pickle=False) if path.exists() else None

    @cached_property
    def category_names(self) -> list[str]:
        """Name of category 1, 2, …; empty where the log has none."""
        path = self.path / CATEGORY_NAMES
        return read_lines(path) if path.exists() else []

    @cached_property
    def features(self) -> Features | None:
        """What is known of rows 0..I, or None where the log has no features of items."""
        return load_features(self.path)


def item_files(folder: Path, with_features: bool = True) -> list[str]:
    """The names of the files of the items that a dataset or run folder may hold."""
    return [ITEMS, TITLES, CATEGORIES, CATEGORY_NAMES, *(feature_files(folder) if with_features else ())]
