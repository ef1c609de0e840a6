"""The boost: counted neighbours of the items of the history score higher (the wide part of a wide and deep model).

A table of d numbers an item cannot hold every pair of items that the log shows together. The counts of these pairs can:

    score(i) = max_k v_k · e_i + w Σ_l decay^age(l) · ln(1 + s(x_l, i) / SCALE)
    s(j, i)  = follows(j, i) / (count(j) + RULE_SHRINK) + cosine(j, i) + CONTENT content(j, i) + [j = i]

`follows` is that of SequentialRules, `cosine` the shrunk cosine of ItemKNN, `content` that of the items' features
(content.py); a table has the parts that its name says. The last term raises the items of the history themselves, where
lists may hold them. (Cheng et al., DLRS'16, train both parts
together; here the second one is counted.)
"""

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf
from scipy import sparse

from remi_tf.counted.co_visits import best, best_lists, blocks
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
FACTORS = {"cosine": 1.0, "content": CONTENT}
"""Of the parts that a table has next to the rules, by the word for them in its name."""
MOST_ITEMS = 500
"""Newest items of a training user that are read for the cosine, so that its cost is bounded."""

Lists = tuple[np.ndarray, np.ndarray]  # [I + 1, n] int32 ids and float32 ln(1 + s / SCALE), best first


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
        shape = [num_items + 1, self.counted + min(NEW_NEIGHBOURS, num_new)]
        self.ids = tf.Variable(tf.zeros(shape, tf.int32), trainable=False, name="ids")
        self.values = tf.Variable(tf.zeros(shape), trainable=False, name="values")
        self.age_weights = tf.Variable(tf.zeros([max_history]), trainable=False, name="age_weights")

    @property
    def tables(self) -> dict[str, tf.Variable]:
        """Name → what was counted."""
        return {"ids": self.ids, "values": self.values, "age_weights": self.age_weights}

    def lists(self, train: Interactions, tables: Sequence[str], features: Features | None = None) -> dict[str, Lists]:
        """Table → its lists of neighbours, of the training users' sequences and the items' features.

        Args:
          tables: of TABLES and, with features, CONTENT_TABLES. What they share is counted once.
        """
        shape = [self.num_items + 1, self.counted]
        found = {table: (np.zeros(shape, np.int32), np.zeros(shape, np.float32)) for table in tables}
        contents = None if features is None else Contents(features)
        for table, start, rows in self._rows(train, tables, contents):
            ids, values = found[table]
            end = start + rows.shape[0]
            ids[start:end], values[start:end] = best(rows, self.counted)
        new = self._new_neighbours(contents)
        return {table: _side_by_side((ids, np.log1p(values / SCALE)), new) for table, (ids, values) in found.items()}

    def take(self, lists: Lists) -> None:
        """Have these lists of neighbours: of each item, what is counted, and after it new items."""
        for table, values in zip((self.ids, self.values), lists, strict=True):
            table.assign(np.pad(values, ((0, 0), (0, table.shape[1] - values.shape[1]))))

    def _new_neighbours(self, contents: Contents | None) -> Lists:
        """Of each item, the new ones that are most alike; nothing where there are none or nothing is known of them."""
        rows, width = self.num_items + 1, self.ids.shape[1] - self.counted
        if contents is None or not width:
            return np.zeros([rows, 0], np.int32), np.zeros([rows, 0], np.float32)
        alike = contents.of_last(self.first_new)
        pieces = ((start, _without_own(alike(start, end), start, self.first_new)) for start, end in _pieces(rows))
        ids, likeness = best_lists(pieces, rows, width)
        return np.where(ids > 0, ids + self.first_new - 1, 0), np.log1p(CONTENT * likeness / SCALE)

    @property
    def first_new(self) -> int:
        """The first row that the log has counted nothing about."""
        return self.num_items + 1 - self.num_new

    def _rows(
        self, train: Interactions, tables: Sequence[str], contents: Contents | None
    ) -> Iterator[tuple[str, int, sparse.csr_matrix]]:
        """(table, first row, s of the rows from there on), block by block."""
        following = Following(train, self.num_items, WINDOW)
        parts: dict[str, Cosines | Contents] = {}
        if any("cosine" in table for table in tables):
            parts["cosine"] = Cosines(train.newest(MOST_ITEMS), self.num_items, COSINE_SHRINK)
        if contents is not None and any("content" in table for table in tables):
            parts["content"] = contents
        for start, end in blocks(following.costs + self.ids.shape[1] + sum(part.costs for part in parts.values())):
            rules = following.rows(start, end)
            rules.data /= np.repeat(following.counts[start:end] + RULE_SHRINK, np.diff(rules.indptr))
            rules = rules + sparse.eye(end - start, self.num_items + 1, start, format="csr")
            others = {name: FACTORS[name] * part.rows(start, end) for name, part in parts.items()}
            for table in tables:
                rows = sum((rows for name, rows in others.items() if name in table), start=rules)
                yield table, start, _counted_only(rows, start, self.first_new)

    def extended(self, features: Features, first: int) -> "CountedBoost":
        """A boost that also knows the items `first`, first + 1, … by their features; what it has counted stays.

        Args:
          features: of all items, the new ones last.
        """
        total = features.num_rows
        boost = CountedBoost(self.counted, total - 1, int(self.age_weights.shape[0]), self.num_new + total - first)
        contents = Contents(features)
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
        boost.take(_side_by_side((ids, values), boost._new_neighbours(contents)))
        boost.age_weights.assign(self.age_weights)
        return boost

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


def _side_by_side(counted: Lists, new: Lists) -> Lists:
    return np.hstack([counted[0], new[0]]), np.hstack([counted[1], new[1]])


def tables_of(table: str, has_features: bool) -> tuple[str, ...]:
    """What is to be counted by the setting boost_table: all that can be, or the one that was given."""
    every = TABLES + CONTENT_TABLES if has_features else TABLES
    return every if table == "chosen" else (table,)


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


def boost_bytes(neighbours: int, num_items: int, dim: int, tables: int = 1) -> tuple[int, int]:
    """What is needed to count the lists of neighbours and to choose how they are used, next to a model of `dim`.

    Args:
      tables: how many are counted together.

    Returns:
      Bytes of the lists, and of the vectors that are looked at; and bytes of the weights, which are read again.
    """
    table, a_neighbour = 4 * dim * (num_items + 1), BYTES_A_NEIGHBOUR + (4 + 4) * (tables - 1)
    return a_neighbour * min(neighbours, num_items) * (num_items + 1) + table, table
