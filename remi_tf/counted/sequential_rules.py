"""SequentialRules: what follows an item (the SR of Ludewig and Jannach, UMUAI'18)."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from remi_tf.counted.neighbours import Neighbours
from remi_tf.data.dataset.interactions import Interactions


class SequentialRules(Neighbours):
    """table[i, j] = Σ 1 / distance / (count of i)^p, over all places of a training user where j follows i.

    The distance is 1 for the next place and at most `window`. An item may follow itself: some logs repeat. p is
    `antecedent_power`.
    """

    score_meaning = "weight of the rules that start from the items of the history, added up; older items weigh less"

    def rows(self, train: Interactions) -> Iterator[tuple[int, sparse.csr_matrix]]:
        """See the base class."""
        items, width, window = np.asarray(train.items), self.num_items + 1, self.settings.window
        ends = np.repeat(np.asarray(train.offsets)[1:], train.lengths)  # [n] where each place's user ends
        order = np.argsort(items, kind="stable")  # places by item
        counts = np.bincount(items, minlength=width)
        first = np.concatenate([[0], np.cumsum(counts)])  # of each item's places in `order`
        for start, end in self.blocks_of(counts * window):
            places = order[first[start] : first[end]]
            found = []
            for distance in range(1, window + 1):
                inside = places[places + distance < ends[places]]
                pair = (items[inside] - start).astype(np.int64) * width + items[inside + distance]
                found.append((pair, np.full(len(pair), 1 / distance)))
            pairs, which = np.unique(np.concatenate([pair for pair, _ in found]), return_inverse=True)
            values = np.bincount(which, np.concatenate([weight for _, weight in found]), minlength=len(pairs))
            row, column = np.divmod(pairs, width)
            values = values / counts[start + row].astype(np.float64) ** self.settings.antecedent_power
            yield start, sparse.csr_matrix((values, (row, column)), shape=(end - start, width))
