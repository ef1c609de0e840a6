"""ItemKNN: items that the same users have (Sarwar et al., WWW'01; the shrunk cosine of Bell and Koren, ICDM'07)."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from remi_tf.counted.co_visits import read_once
from remi_tf.counted.neighbours import Neighbours
from remi_tf.data.dataset.interactions import Interactions


class Cosines:
    """The shrunk cosine of two items: c_ij / (sqrt(c_i c_j) + shrink).

    c_ij is the number of training users that have both items, c_i the number of those that have i. A user counts once,
    however often the item was visited.

    Attributes:
      costs: `[I + 1]` bound of the number of items that each item shares a user with.
    """

    def __init__(self, train: Interactions, num_items: int, shrink: float):
        self.users, self.shrink = read_once(train, num_items), shrink  # [users, I + 1]
        self.items = self.users.T.tocsr()  # [I + 1, users]
        self.roots = np.sqrt(np.diff(self.items.indptr))  # [I + 1]
        pairs = self.items @ np.diff(self.users.indptr).astype(np.float64)
        self.costs = np.minimum(pairs, num_items + 1)

    def rows(self, start: int, end: int) -> sparse.csr_matrix:
        """`[end - start, I + 1]` float64: the cosines of the items `start .. end - 1`."""
        common = self.items[start:end] @ self.users  # c_ij
        row = np.repeat(np.arange(start, end), np.diff(common.indptr))
        common.data /= self.roots[row] * self.roots[common.indices] + self.shrink
        return common


class ItemKNN(Neighbours):
    """table[i, j] = the shrunk cosine of the items i and j (`Cosines`).

    An item is its own nearest neighbour, so where the history stays in the lists, what a user has visited comes high.
    """

    score_meaning = "similarity to the items of the history, added up; older items weigh less"

    def rows(self, train: Interactions) -> Iterator[tuple[int, sparse.csr_matrix]]:
        """See the base class."""
        cosines = Cosines(train, self.num_items, self.settings.shrink)
        for start, end in self.blocks_of(cosines.costs):
            yield start, cosines.rows(start, end)
