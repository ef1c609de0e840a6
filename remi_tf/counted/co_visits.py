"""Which items occur together, counted in blocks of items, so that memory does not grow with the catalogue's square."""

from collections.abc import Iterable, Iterator

import numpy as np
from scipy import sparse

from remi_tf.data.dataset.interactions import Interactions

BLOCK = 1 << 23
"""Numbers that a block of rows may hold: a few hundred MiB while it is made."""


def read_once(train: Interactions, num_items: int) -> sparse.csr_matrix:
    """`[users, I + 1]` float64: 1 where a training user has the item, however often."""
    users = np.repeat(np.arange(train.num_users), train.lengths)
    ones = np.ones(len(train.items))
    found = sparse.csr_matrix((ones, (users, np.asarray(train.items))), shape=(train.num_users, num_items + 1))
    found.sum_duplicates()
    found.data[:] = 1
    return found


def blocks(costs: np.ndarray, limit: int = BLOCK) -> Iterator[tuple[int, int]]:
    """(start, end) of neighbouring rows whose costs add up to at most `limit`; a dearer row is a block of its own.

    costs: `[rows]`.
    """
    before = np.concatenate([[0], np.cumsum(costs)])
    start = 0
    while start < len(costs):
        end = int(np.searchsorted(before, before[start] + limit, side="right")) - 1
        end = max(end, start + 1)
        yield start, end
        start = end


def best(rows: sparse.csr_matrix, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`[R, count]` int32 ids and float32 values: each row's largest positive values, best first, ties by the lower id.

    Places without a value have id 0 and value 0.
    """
    found = np.zeros((rows.shape[0], count), np.int64)
    data = rows.data.astype(np.float32)
    # One number decides: positive floats are in the order of their bits, and of equal ones the lower id is larger.
    keys = data.view(np.int32).astype(np.int64) << 32
    keys += 2**31
    keys -= rows.indices
    is_positive = data > 0
    for row, (start, end) in enumerate(zip(rows.indptr, rows.indptr[1:], strict=False)):
        own = keys[start:end]
        own = own[is_positive[start:end]]
        if len(own) > count:
            own = np.partition(own, len(own) - count)[len(own) - count :]
        found[row, : len(own)] = np.sort(own)[::-1]
    values = (found >> 32).astype(np.int32).view(np.float32)
    return np.where(found, 2**31 - (found & (2**32 - 1)), 0).astype(np.int32), values


def best_lists(
    rows: Iterable[tuple[int, sparse.csr_matrix]], num_rows: int, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """`[num_rows, count]` ids and values as of `best`, from blocks of rows: (first row, values `[R, I + 1]`)."""
    ids, values = np.zeros([num_rows, count], np.int32), np.zeros([num_rows, count], np.float32)
    for start, block in rows:
        end = start + block.shape[0]
        ids[start:end], values[start:end] = best(block, count)
    return ids, values
