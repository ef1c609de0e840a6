"""SequentialRules: what follows an item (the SR of Ludewig and Jannach, UMUAI'18)."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from remi_tf.counted.neighbours import Neighbours
from remi_tf.data.dataset.interactions import Interactions


class Following:
    """How often which item follows which: Σ 1 / distance over all places of a training user where j follows i.

    The distance is 1 for the next place and at most `window`. An item may follow itself: some logs repeat.

    Attributes:
      counts: `[I + 1]` how often each item occurs; costs: `[I + 1]` how many pairs the rows of each item are made of.
    """

    def __init__(self, train: Interactions, num_items: int, window: int):
        self.items, self.width, self.window = np.asarray(train.items), num_items + 1, window
        self.ends = np.repeat(np.asarray(train.offsets)[1:], train.lengths)  # [n] where each place's user ends
        self.order = np.argsort(self.items, kind="stable")  # places by item
        self.counts = np.bincount(self.items, minlength=self.width)
        self.costs = self.counts * window
        self.first = np.concatenate([[0], np.cumsum(self.counts)])  # of each item's places in `order`

    def rows(self, start: int, end: int) -> sparse.csr_matrix:
        """`[end - start, I + 1]` float64: the sums for i in `start .. end - 1`."""
        places = self.order[self.first[start] : self.first[end]]
        found = []
        for distance in range(1, self.window + 1):
            inside = places[places + distance < self.ends[places]]
            pair = (self.items[inside] - start).astype(np.int64) * self.width + self.items[inside + distance]
            found.append((pair, np.full(len(pair), 1 / distance)))
        pairs, which = np.unique(np.concatenate([pair for pair, _ in found]), return_inverse=True)
        values = np.bincount(which, np.concatenate([weight for _, weight in found]), minlength=len(pairs))
        shape = (end - start, self.width)
        return sparse.csr_matrix((values.astype(np.float64), np.divmod(pairs, self.width)), shape=shape)


class SequentialRules(Neighbours):
    """table[i, j] = Σ 1 / distance / (count of i)^p, over all places of a training user where j follows i.

    The sum is that of `Following`. p is `antecedent_power`.
    """

    score_meaning = "weight of the rules that start from the items of the history, added up; older items weigh less"

    def rows(self, train: Interactions) -> Iterator[tuple[int, sparse.csr_matrix]]:
        """See the base class."""
        following = Following(train, self.num_items, self.settings.window)
        for start, end in self.blocks_of(following.costs):
            rows = following.rows(start, end)
            counts = following.counts[start:end].astype(np.float64) ** self.settings.antecedent_power
            rows.data /= np.repeat(counts, np.diff(rows.indptr))
            yield start, rows
