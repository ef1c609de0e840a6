"""Content: items whose features are alike, by the codes that they share (the cosine of tf-idf vectors)."""

from collections.abc import Callable

import numpy as np
from scipy import sparse

from remi_tf.data.features.columns import FIRST
from remi_tf.data.features.store import Features

MOST_PAIRS = 1 << 30
"""Bound on the pairs of items that share a code: codes that too many items have are left out, as they say little."""
LEAST = 0.15
"""Items that are less alike than this are not."""


class Contents:
    """The cosine of two items' features: Σ_c idf_c² / (|a| |b|) over the codes c that both have.

    idf_c = ln(rows / n_c), n_c the number of rows that have the code (row 0, padding, is counted too). Missing and
    unknown values are not shared. The length of an item's vector counts all of its codes, also those that are left out
    of the pairs.

    Attributes:
      costs: `[I + 1]` bound of the number of items that each item shares a code with.
    """

    def __init__(self, features: Features):
        shares, rows = codes_of_rows(features), features.num_rows
        counts = np.bincount(shares.indices, minlength=shares.shape[1])
        idf = np.log(rows / np.maximum(counts, 1)).astype(np.float32)
        for start in features.starts[:-1]:
            idf[start : start + FIRST] = 0
        weighted = shares @ sparse.diags(idf)
        lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        weighted = sparse.diags(1 / np.maximum(lengths, 1e-9)) @ weighted
        idf[_too_common(np.where(idf > 0, counts, 0))] = 0
        kept = (weighted @ sparse.diags((idf > 0).astype(np.float32))).tocsr()
        kept.eliminate_zeros()
        self.items, self.codes = kept, kept.T.tocsr()
        pairs = (kept != 0).astype(np.float64) @ np.where(idf > 0, counts, 0)
        self.costs = np.minimum(pairs, rows)

    def rows(self, start: int, end: int) -> sparse.csr_matrix:
        """`[end - start, I + 1]`: the cosines of the items `start .. end - 1`, the small ones left out."""
        return _without_small(self.items[start:end] @ self.codes)

    def of_last(self, first: int) -> Callable[[int, int], sparse.csr_matrix]:
        """(start, end) → `[end - start, 1 + n]`: as `rows`, of the n items from `first` on only, from column 1 on."""
        nothing = sparse.csr_matrix((self.codes.shape[0], 1), dtype=np.float32)
        last = sparse.hstack([nothing, self.codes[:, first:]], format="csr")
        return lambda start, end: _without_small(self.items[start:end] @ last)


def codes_of_rows(features: Features) -> sparse.csr_matrix:
    """[rows, codes] float32: 1 where a row has a code."""
    codes, starts = np.asarray(features.codes), np.asarray(features.offsets)[:: len(features.columns)]
    shape = (features.num_rows, int(features.starts[-1]))
    return sparse.csr_matrix((np.ones(len(codes), np.float32), codes, starts), shape=shape)


def _without_small(found: sparse.spmatrix) -> sparse.csr_matrix:
    found = found.tocsr()
    found.data[found.data < LEAST] = 0
    found.eliminate_zeros()
    return found


def _too_common(counts: np.ndarray) -> np.ndarray:
    """The codes that are left out, the most common ones, so that all pairs of the others are at most MOST_PAIRS."""
    order = np.argsort(counts, kind="stable")
    inside = np.searchsorted(np.cumsum(counts[order].astype(np.float64) ** 2), MOST_PAIRS, side="right")
    return order[inside:]
