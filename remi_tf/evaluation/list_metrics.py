"""What the lists hold, hit or not: how diverse they are, what they cover, how popular their items are.

One value per user and cut-off n. The list is the user's first n items, or fewer where there are fewer:
  diversity          share of the pairs of listed items that have different categories (ComiRec, KDD'20)
  category_coverage  of the categories of the user's targets, the share that the list holds
  novelty            mean of -log2 p(item) over the list, in bits. p is the item's share of the training interactions
One value per cut-off, for all users together:
  catalogue_coverage share of the catalogue's items that are in some user's list
  gini               inequality of how often items are listed: 0 if all are listed equally often, near 1 if all lists
                     hold the same few items
diversity and category_coverage exist only where the dataset has categories. Items of unknown category count as one
category in diversity, as in retrieval/diversity.py. In category_coverage an unknown category is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from remi_tf.data.dataset.folder import Dataset

NAMES = ("diversity", "category_coverage", "novelty")
WHOLE_SPLIT_NAMES = ("catalogue_coverage", "gini")


@dataclass(frozen=True)
class ItemFacts:
    """What is known of the items, whichever model ranks them.

    counts: `[I + 1]` int64, how often each row occurs in the training split; row 0 has 0.
    categories: `[I + 1]` int32, 0 = unknown; None where the dataset has none.
    """

    counts: np.ndarray
    categories: np.ndarray | None = None

    @classmethod
    def of(cls, dataset: Dataset) -> "ItemFacts":
        """The facts that a dataset folder has."""
        return cls(np.bincount(dataset.train.items, minlength=dataset.num_items + 1), dataset.categories)

    @cached_property
    def surprise(self) -> np.ndarray:
        """`[I + 1]` float64: -log2 of each item's share of the training interactions, in bits.

        An item that no training user has counts as if it occurred once.
        """
        return np.log2(self.counts.sum()) - np.log2(np.maximum(self.counts, 1))


class ListReport:
    """Measures lists batch by batch.

    Example:
      >>> import numpy as np
      >>> from remi_tf.evaluation.list_metrics import ItemFacts, ListReport
      >>> items = ItemFacts(counts=np.array([0, 4, 2, 2, 0]), categories=np.array([0, 7, 7, 9, 0]))
      >>> report = ListReport(items, top_n=(3,))
      >>> found = report.add(np.array([[1, 2, 3]]), targets=np.array([4, 3, 1, 1]), offsets=np.array([0, 4]))
      >>> {name: round(float(values[0]), 4) for name, values in found.items()}
      {'diversity@3': 0.6667, 'category_coverage@3': 1.0, 'novelty@3': 1.6667}
      >>> report.whole_split
      {'catalogue_coverage@3': 0.75, 'gini@3': 0.25}

    Args:
      top_n: cut-offs n.

    Attributes:
      listed: n → `[I + 1]` int64, how often each row is in the lists so far.
    """

    def __init__(self, items: ItemFacts, top_n: Sequence[int]):
        self.items = items
        self.listed = {n: np.zeros(len(items.counts), np.int64) for n in top_n}

    def add(self, retrieved: np.ndarray, targets: np.ndarray, offsets: np.ndarray) -> dict[str, np.ndarray]:
        """Metric@n → `[U]` float64 of a batch. NaN where a user has no value; see each metric.

        Args:
          retrieved: `[U, N]` int32 ids, best first, without repeats; 0 = nothing. N must reach the largest n.
          targets: `[T]` int32, the targets of one user after another. User u has `offsets[u]:offsets[u + 1]`.
          offsets: `[U + 1]` int64.
        """
        categories, found = self.items.categories, {}
        for n, listed in self.listed.items():
            ids = retrieved[:, :n]
            np.add.at(listed, ids[ids > 0], 1)
            if categories is not None:
                found[f"diversity@{n}"] = diversity(categories[ids], ids > 0)
                found[f"category_coverage@{n}"] = category_coverage(categories[ids], categories[targets], offsets)
            found[f"novelty@{n}"] = _mean(self.items.surprise[ids], ids > 0)
        return found

    @property
    def whole_split(self) -> dict[str, float]:
        """Metric@n of all lists so far."""
        found = {}
        for n, listed in self.listed.items():
            found[f"catalogue_coverage@{n}"] = float((listed[1:] > 0).mean())
            found[f"gini@{n}"] = gini(listed[1:])
        return found


def diversity(categories: np.ndarray, there: np.ndarray) -> np.ndarray:
    """`[U]` float64 in 0..1: 2 / (m (m - 1)) Σ_{i<j} [category_i ≠ category_j] over the m listed items.

    A list of fewer than two items has no pairs: NaN.

    Args:
      categories: `[U, N]` int of the listed items; 0 (unknown) is a category like the others.
      there: `[U, N]` bool, false where the list has no item.
    """
    users = np.nonzero(there)[0]
    _, owners, sizes = distinct_pairs(users, categories[there])
    same = np.bincount(owners, sizes * (sizes - 1) / 2, len(there))  # [U] pairs of one category
    listed = there.sum(axis=1)
    pairs = listed * (listed - 1) / 2
    return 1 - _ratio(same, pairs)


def category_coverage(categories: np.ndarray, target_categories: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """`[U]` float64 in 0..1: of the known categories of a user's targets, the share that the list holds.

    A user without a target of known category has no value: NaN.

    Args:
      categories: `[U, N]` int of the listed items; 0 = unknown, or no item.
      target_categories: `[T]` int, one user after another; user u has `offsets[u]:offsets[u + 1]`.
    """
    users = np.arange(len(categories))
    owners = np.repeat(users, np.diff(offsets))
    known = target_categories > 0
    stride = max(categories.max(initial=0), target_categories.max(initial=0)) + 1
    wanted, owners, _ = distinct_pairs(owners[known], target_categories[known], stride)
    held = np.isin(wanted, users[:, None] * np.int64(stride) + categories)
    return _ratio(np.bincount(owners, held, len(users)), np.bincount(owners, minlength=len(users)))


def gini(counts: np.ndarray) -> float:
    """The Gini coefficient Σ (2 i - n - 1) x_i / (n Σ x_i) of n counts in ascending order; 0 if all are 0."""
    ordered = np.sort(counts)
    ranks = 2.0 * np.arange(1, len(counts) + 1) - len(counts) - 1
    return float(ranks @ ordered / (len(counts) * max(ordered.sum(), 1)))


def distinct_pairs(
    users: np.ndarray, categories: np.ndarray, stride: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The different pairs of user and category: a number for each (user · stride + category), its user, its size."""
    stride = stride or categories.max(initial=0) + 1
    keys, sizes = np.unique(users * np.int64(stride) + categories, return_counts=True)
    return keys, keys // stride, sizes


def _mean(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The mean of each row where `there` is true; NaN for a row without."""
    return _ratio(np.where(there, values, 0).sum(axis=1), there.sum(axis=1))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where whole is 0."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
