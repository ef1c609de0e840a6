"""ItemKNN: items that the same users have (Sarwar et al., WWW'01; the shrunk cosine of Bell and Koren, ICDM'07)."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from remi_tf.counted.co_visits import read_once
from remi_tf.counted.neighbours import Neighbours
from remi_tf.data.dataset.interactions import Interactions


class ItemKNN(Neighbours):
    """table[i, j] = c_ij / (sqrt(c_i c_j) + shrink).

    c_ij is the number of training users that have both items, c_i the number of those that have i. A user counts once,
    however often the item was visited. An item is its own nearest neighbour, so where the history stays in the lists,
    what a user has visited comes high.
    """

    score_meaning = "similarity to the items of the history, added up; older items weigh less"

    def rows(self, train: Interactions) -> Iterator[tuple[int, sparse.csr_matrix]]:
        """See the base class."""
        users = read_once(train, self.num_items)  # [users, I + 1]
        items = users.T.tocsr()  # [I + 1, users]
        counts = np.diff(items.indptr)  # [I + 1]
        pairs = items @ np.diff(users.indptr).astype(np.float64)  # [I + 1] upper bound of a row's co-visited items
        roots = np.sqrt(counts)
        for start, end in self.blocks_of(np.minimum(pairs, self.num_items + 1)):
            common = items[start:end] @ users  # [R, I + 1] c_ij
            row, column = np.repeat(np.arange(start, end), np.diff(common.indptr)), common.indices
            common.data /= roots[row] * roots[column] + self.settings.shrink
            yield start, common
