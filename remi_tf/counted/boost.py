"""The boost: counted neighbours of the items of the history score higher (the wide part of a wide and deep model).

A table of d numbers an item cannot hold every pair of items that the log shows together. The counts of these pairs can:

    score(i) = max_k v_k · e_i + w Σ_l decay^age(l) · ln(1 + s(x_l, i) / SCALE)
    s(j, i)  = follows(j, i) / (count(j) + RULE_SHRINK) + cosine(j, i) + CONTENT content(j, i) + [j = i]

`follows` is that of SequentialRules, `cosine` the shrunk cosine of ItemKNN, `content` that of the items' features
(content.py); a table has the parts that its name says. The last term raises the items of the history themselves, where
lists may hold them. (Cheng et al., DLRS'16, train both parts
together; here the second one is counted.)
"""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from scipy import sparse

from remi_tf.counted.co_visits import best_lists, blocks
from remi_tf.counted.content import Contents
from remi_tf.counted.item_knn import Cosines
from remi_tf.counted.neighbours import BYTES_A_NEIGHBOUR
from remi_tf.counted.sequential_rules import Following
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.features.store import Features
from remi_tf.retrieval.boosts import Boosts

TABLES = ("rules", "rules_and_cosine")
CONTENT_TABLES = ("rules_and_content", "rules_cosine_and_content")
"""What can be counted, and what can be counted too where items have features."""
WINDOW = 10
"""Places after an item in which another one counts as following it."""
RULE_SHRINK, COSINE_SHRINK, SCALE = 20.0, 100.0, 0.1
"""Chosen on validation users of five logs (docs/RESULTS.md, "What the boost brings")."""
PIECE = 1 << 12
"""Rows of which the likeness to new items is computed together."""
NEW_NEIGHBOURS = 20
"""Places in an item's list for items that the log has counted nothing about."""
CONTENT = 0.03
"""Chosen on validation users of two logs (docs/RESULTS.md, "What features bring")."""
MOST_ITEMS = 500
"""Newest items of a training user that are read for the cosine, so that its cost is bounded."""


class CountedBoost(tf.Module):
    """What the items of a history add to the scores of other items.

    Attributes:
      tables: name → variable, all that it knows.

    Args:
      neighbours: best items that are kept for each item.
      num_items: I.
      max_history: items of a history that are read.
      num_new: so many of the last items are new: the log has counted nothing about them. Each item also gets the
        NEW_NEIGHBOURS of them whose features are most like its own.
    """

    def __init__(self, neighbours: int, num_items: int, max_history: int, num_new: int = 0):
        super().__init__("boost")
        self.num_items, self.num_new = num_items, num_new
        self.counted = min(neighbours, num_items)
        self._contents: Contents | None = None
        shape = [num_items + 1, self.counted + min(NEW_NEIGHBOURS, num_new)]
        self.ids = tf.Variable(tf.zeros(shape, tf.int32), trainable=False, name="ids")
        self.values = tf.Variable(tf.zeros(shape), trainable=False, name="values")
        self.age_weights = tf.Variable(tf.zeros([max_history]), trainable=False, name="age_weights")

    @property
    def tables(self) -> dict[str, tf.Variable]:
        """Name → what was counted."""
        return {"ids": self.ids, "values": self.values, "age_weights": self.age_weights}

    def count(self, train: Interactions, table: str, features: Features | None = None) -> None:
        """Fill the lists of neighbours from the training users' sequences and the items' features.

        Args:
          table: one of TABLES or, with features, CONTENT_TABLES.
        """
        ids, values = best_lists(self._rows(train, table, features), self.num_items + 1, self.counted)
        self._assign(ids, np.log1p(values / SCALE), features)

    def _assign(self, ids: np.ndarray, values: np.ndarray, features: Features | None) -> None:
        """Set the lists: what is counted, and after it the new items that are most alike."""
        if self.num_new and features is not None:
            contents, width = self._contents_of(features), self.ids.shape[1] - self.counted
            alike = contents.of_last(self.first_new)
            rows = ((start, _without_own(alike(start, end), start, self.first_new)) for start, end in _pieces(len(ids)))
            found, likeness = best_lists(rows, len(ids), width)
            new_ids = np.where(found > 0, found + self.first_new - 1, 0)
            ids, values = np.hstack([ids, new_ids]), np.hstack([values, np.log1p(CONTENT * likeness / SCALE)])
        missing = ((0, 0), (0, self.ids.shape[1] - ids.shape[1]))
        self.ids.assign(np.pad(ids, missing))
        self.values.assign(np.pad(values, missing))

    @property
    def first_new(self) -> int:
        """The first row that the log has counted nothing about."""
        return self.num_items + 1 - self.num_new

    def _rows(
        self, train: Interactions, table: str, features: Features | None
    ) -> Iterator[tuple[int, sparse.csr_matrix]]:
        """(first row, s of the rows from there on), block by block."""
        following = Following(train, self.num_items, WINDOW)
        cosines = Cosines(train.newest(MOST_ITEMS), self.num_items, COSINE_SHRINK) if "cosine" in table else None
        contents = self._contents_of(features) if features is not None and table in CONTENT_TABLES else None
        costs = following.costs + self.ids.shape[1] + sum(part.costs for part in (cosines, contents) if part)
        for start, end in blocks(costs):
            rows = following.rows(start, end)
            rows.data /= np.repeat(following.counts[start:end] + RULE_SHRINK, np.diff(rows.indptr))
            rows = rows + sparse.eye(end - start, self.num_items + 1, start, format="csr")
            rows = rows + cosines.rows(start, end) if cosines else rows
            rows = rows + CONTENT * contents.rows(start, end) if contents else rows
            yield start, _counted_only(rows, start, self.first_new)

    def extended(self, features: Features, first: int) -> "CountedBoost":
        """A boost that also knows the items `first`, first + 1, … by their features; what it has counted stays.

        Args:
          features: of all items, the new ones last.
        """
        total = features.num_rows
        boost = CountedBoost(self.counted, total - 1, int(self.age_weights.shape[0]), self.num_new + total - first)
        contents = boost._contents_of(features)
        own = sparse.eye(total - first, total, first, format="csr")
        alike = (
            (
                start,
                _counted_only(
                    CONTENT * contents.rows(first + start, first + end) + own[start:end], first + start, boost.first_new
                ),
            )
            for start, end in _pieces(total - first)
        )
        new_ids, new_values = best_lists(alike, total - first, self.counted)
        ids, values = self.ids.numpy()[:, : self.counted], self.values.numpy()[:, : self.counted]
        ids, values = np.concatenate([ids, new_ids]), np.concatenate([values, np.log1p(new_values / SCALE)])
        boost._assign(ids, values, features)
        boost.age_weights.assign(self.age_weights)
        return boost

    def _contents_of(self, features: Features) -> Contents:
        """Made once for all tables."""
        if self._contents is None:
            self._contents = Contents(features)
        return self._contents

    def weigh(self, weight: float, decay: float) -> None:
        """Set w and the decay."""
        self.age_weights.assign((weight * decay ** np.arange(self.age_weights.shape[0])).astype(np.float32))

    @property
    def adds(self) -> bool:
        """Whether it adds anything: its weight is above 0."""
        return bool(tf.reduce_any(self.age_weights > 0))

    def of(self, history: tf.Tensor) -> Boosts:
        """The boosts of `[B, max_history]` int32 histories, oldest first, right-padded with 0: X = max_history · n."""
        lengths = tf.reduce_sum(tf.cast(history > 0, tf.int32), axis=1, keepdims=True)  # [B, 1]
        ages = tf.maximum(lengths - 1 - tf.range(tf.shape(history)[1]), 0)  # [B, L]
        weights = tf.where(history > 0, tf.gather(self.age_weights, ages), 0.0)
        width = tf.shape(history)[1] * self.ids.shape[1]
        ids = tf.where((history > 0)[..., None], tf.gather(self.ids, history), 0)  # [B, L, n]
        amounts = weights[..., None] * tf.gather(self.values, history)
        return Boosts(tf.reshape(ids, [-1, width]), tf.reshape(amounts, [-1, width]))


def _counted_only(rows: sparse.spmatrix, start: int, end: int) -> sparse.csr_matrix:
    """The rows `start`, start + 1, … with their own column and those before `end` only."""
    rows = rows.tocsr()
    own = np.repeat(np.arange(start, start + rows.shape[0]), np.diff(rows.indptr))
    rows.data[(rows.indices >= end) & (rows.indices != own)] = 0
    return rows


def _without_own(rows: sparse.csr_matrix, start: int, first: int) -> sparse.csr_matrix:
    """The rows `start`, … of columns that stand for the items `first`, … from 1 on, without the item itself."""
    own = np.repeat(np.arange(start, start + rows.shape[0]), np.diff(rows.indptr)) - first + 1
    rows.data[rows.indices == own] = 0
    return rows


def _pieces(number: int) -> Iterator[tuple[int, int]]:
    """(start, end) of some of 0..number at a time."""
    return ((start, min(start + PIECE, number)) for start in range(0, number, PIECE))


def boost_bytes(neighbours: int, num_items: int, dim: int) -> tuple[int, int]:
    """What is needed to count the lists of neighbours and to choose how they are used, next to a model of `dim`.

    Returns:
      Bytes of the lists, and of the vectors that are looked at; and bytes of the weights, which are read again.
    """
    table = 4 * dim * (num_items + 1)
    return BYTES_A_NEIGHBOUR * min(neighbours, num_items) * (num_items + 1) + table, table
